-- A wish to be put on a list that waits in a restored CRM may have been met before, and taken back
-- since: none is carried unless somebody asks anew. Grain: one row a request.
UPDATE crm_list_membership
SET
    status = 'failed',
    processed_at = clock_timestamp(),
    detail = 'The CRM was restored. Set this to pending if it is still wanted.'
WHERE action = 'add' AND status IN ('pending', 'held');
