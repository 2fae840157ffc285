-- Read the contacts of the CRM that differ from what was seen of them, and those that are absent
-- and wait for no answer. It follows a CTE, seam_contact: contacts.sql with our names. Of a contact
-- whose address is an erased person's only a digest was kept.
-- Parameters: contact_ids (those that seam_contact is about; null: all), knows_links (whether
-- contacts.sql yields them). Grain: one row a contact.
INSERT INTO read_contact (
    contact_id, email_address, do_not_email, first_name, last_name, requested_by_contact,
    opt_out_reason, merged_into, constant_contact_id, is_known, is_absent
)
SELECT
    coalesce(read.contact_id, known.contact_id),
    read.email_address,
    read.do_not_email,
    read.first_name,
    read.last_name,
    read.requested_by_contact,
    read.opt_out_reason,
    read.merged_into,
    read.constant_contact_id,
    known.contact_id IS NOT NULL,
    read.is_read IS NULL
FROM (
    SELECT
        seam_contact.*,
        TRUE AS is_read
    FROM seam_contact
) AS read
FULL JOIN (
    SELECT * FROM ctct_link
    WHERE %(contact_ids)s::text[] IS NULL OR contact_id = any(%(contact_ids)s::text[])
) AS known ON read.contact_id = known.contact_id
WHERE
    known.contact_id IS NULL
    OR CASE
        WHEN read.is_read IS NULL THEN known.absence_hold_id IS NULL
        WHEN known.absence_hold_id IS NOT NULL THEN TRUE
        WHEN
            (known.do_not_email, known.requested_by_contact, known.merged_into)
            IS DISTINCT FROM (read.do_not_email, read.requested_by_contact, read.merged_into)
            THEN TRUE
        WHEN %(knows_links)s AND known.written_id IS DISTINCT FROM read.constant_contact_id
            THEN TRUE
        WHEN known.erased_digest IS NULL
            THEN
                (known.email_address, known.first_name, known.last_name, known.opt_out_reason)
                IS DISTINCT FROM
                (read.email_address, read.first_name, read.last_name, read.opt_out_reason)
        ELSE known.erased_digest <> all(ctct_email_digests(read.email_address))
    END;
