-- Links that a person is asked about, or said no to clearing, stay as they are.
-- Grain: one row a CRM contact.
DELETE FROM wanted_link AS wanted
USING ctct_link AS link
WHERE
    wanted.new_id IS NULL
    AND wanted.contact_id = link.contact_id
    AND link.link_hold_id IS NOT NULL;
