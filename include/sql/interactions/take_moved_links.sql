-- Forget whose events the interactions were made of, where the link moved to another of the
-- vendor's contacts or the CRM contact is gone; keep in link_change which. A link that was only
-- cleared keeps its history: when the contact leaves or is linked again, it goes.
-- Grain: one row a CRM contact.
WITH moved AS MATERIALIZED (
    SELECT
        contact_id,
        projected_id
    FROM ctct_link
    WHERE constant_contact_id <> projected_id
    UNION ALL
    SELECT
        contact_id,
        projected_id
    FROM ctct_left_contact
    WHERE projected_id IS NOT NULL
),

linked AS (
    UPDATE ctct_link AS link
    SET projected_id = NULL
    FROM moved
    WHERE link.contact_id = moved.contact_id
),

gone AS (
    UPDATE ctct_left_contact AS gone
    SET projected_id = NULL
    FROM moved
    WHERE gone.contact_id = moved.contact_id
)

INSERT INTO link_change (crm_contact_id, constant_contact_id, is_new)
SELECT
    contact_id,
    projected_id,
    FALSE
FROM moved;
