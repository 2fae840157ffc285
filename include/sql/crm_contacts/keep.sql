-- Keep what was read: contacts of the CRM that differ from what was seen of them. A new one comes
-- with the link that the CRM has from before; one that returns with its address, with the
-- link that it had. Parameters: knows_links (whether contacts.sql yields them).
-- Grain: one row: contacts that are new, and those that changed.
WITH changed AS (
    UPDATE ctct_link AS link
    SET
        email_address = read.email_address,
        first_name = read.first_name,
        last_name = read.last_name,
        do_not_email = read.do_not_email,
        requested_by_contact = read.requested_by_contact,
        opt_out_reason = read.opt_out_reason,
        merged_into = read.merged_into,
        erased_digest = read.erased_digest,
        written_id
        = CASE WHEN %(knows_links)s THEN read.constant_contact_id ELSE link.written_id END,
        absence_hold_id = NULL,
        seen_at = clock_timestamp()
    FROM read_contact AS read
    WHERE read.is_known AND link.contact_id = read.contact_id
    RETURNING link.contact_id
),

appeared AS (
    INSERT INTO ctct_link (
        contact_id, constant_contact_id, email_address, first_name, last_name, do_not_email,
        requested_by_contact, opt_out_reason, merged_into, written_id, projected_id, erased_digest
    )
    SELECT
        read.contact_id,
        CASE
            WHEN read.erased_digest IS NOT NULL THEN NULL
            WHEN linked.contact_id IS NULL THEN nullif(btrim(read.constant_contact_id), '')
            WHEN linked.email_key = ctct_email_key(read.email_address) THEN linked.contact_id
            ELSE nullif(btrim(read.constant_contact_id), '')
        END,
        read.email_address,
        read.first_name,
        read.last_name,
        read.do_not_email,
        read.requested_by_contact,
        read.opt_out_reason,
        read.merged_into,
        read.constant_contact_id,
        gone.projected_id,
        read.erased_digest
    FROM read_contact AS read
    LEFT JOIN ctct_left_contact AS gone ON read.contact_id = gone.contact_id
    LEFT JOIN ctct_contact AS linked
        ON gone.constant_contact_id = linked.contact_id AND linked.deleted_at IS NULL
    WHERE NOT read.is_known
    RETURNING contact_id
),

returned AS (
    DELETE FROM ctct_left_contact AS gone
    USING appeared
    WHERE gone.contact_id = appeared.contact_id
)

SELECT
    (SELECT count(*) FROM appeared) AS appeared,
    (SELECT count(*) FROM changed) AS changed;
