-- Mark contacts as deleted that the vendor no longer knows; their addresses are free, and none of
-- our business any more, but for those of people who had unsubscribed themselves: nobody creates
-- them anew as somebody who may be mailed. Parameters: contact_id (array), deleted_at.
-- Grain: one row a contact.
UPDATE ctct_contact
SET
    deleted_at = %(deleted_at)s,
    email_address = CASE
        WHEN permission_to_send = 'unsubscribed' AND opt_out_source = 'Contact'
            THEN email_address
    END
WHERE contact_id = ANY(%(contact_id)s::text[]);
