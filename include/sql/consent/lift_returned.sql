-- Lift what a contact that is deleted at Constant Contact objected to, for one that came back by
-- itself under another id, later, at its address or as the link of its contact. For the deleted one
-- it stands: should that be restored, it objects still. Grain: one row an objection.
WITH gone AS MATERIALIZED (
    SELECT
        objection.objection_id,
        objection.contact_id,
        objection.email_digest,
        objection.objected_at
    FROM ctct_contact AS deleted
    INNER JOIN ctct_objection AS objection ON deleted.contact_id = objection.constant_contact_id
    WHERE
        deleted.deleted_at IS NOT NULL
        AND objection.lifted_at IS NULL
        AND objection.source IN ('asked', 'vendor_contact', 'click')
),

other AS (
    SELECT
        gone.objection_id,
        gone.objected_at,
        mirrored.contact_id
    FROM gone
    INNER JOIN ctct_contact AS mirrored ON gone.email_digest = ctct_email_digest(mirrored.email_key)
    UNION
    SELECT
        gone.objection_id,
        gone.objected_at,
        link.constant_contact_id
    FROM gone
    INNER JOIN ctct_link AS link ON gone.contact_id = link.contact_id
),

returned AS (
    SELECT
        other.objection_id,
        max(owner.opt_in_date) AS opt_in_date
    FROM other
    INNER JOIN ctct_contact AS owner ON other.contact_id = owner.contact_id
    WHERE
        owner.deleted_at IS NULL
        AND owner.permission_to_send IN ('implicit', 'explicit')
        AND owner.opt_in_source = 'Contact'
        AND owner.opt_in_date > other.objected_at
    GROUP BY other.objection_id
),

lifted AS (
    UPDATE ctct_objection AS objection
    SET
        lifted_at = clock_timestamp(),
        evidence
        = 'Came back to Constant Contact by itself at '
        || to_char(returned.opt_in_date AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC.'
    FROM returned
    WHERE objection.objection_id = returned.objection_id
    RETURNING
        objection.source,
        objection.constant_contact_id,
        objection.objected_at,
        objection.reason,
        objection.told_by
)

INSERT INTO ctct_objection (source, constant_contact_id, objected_at, reason, told_by)
SELECT DISTINCT
    source,
    constant_contact_id,
    objected_at,
    reason,
    told_by
FROM lifted;
