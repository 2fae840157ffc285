-- One register of objections, and one gate that everything asks which would create a contact, put
-- it on a list or opt it in.

CREATE TABLE ctct_objection (
    objection_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL CHECK (
        source IN ('flag', 'asked', 'vendor_contact', 'vendor_account', 'click', 'erasure')
    ),
    contact_id text,
    constant_contact_id text,
    email_digest text,
    objected_at timestamptz NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text,
    told_by text,
    change_id bigint,
    lifted_at timestamptz,
    lifted_by text,
    evidence text
);

COMMENT ON TABLE ctct_objection IS
'Each objection to being emailed that was ever heard: rows are added and lifted, never deleted.';
COMMENT ON COLUMN ctct_objection.source IS
'Who objects: flag, the CRM''s Do Not Email; asked, the contact, told by the CRM; click, a link in
an email; vendor_contact and vendor_account, an opt-out at Constant Contact; erasure.';
COMMENT ON COLUMN ctct_objection.contact_id IS
'→ ctct_link.contact_id. May have left the CRM.';
COMMENT ON COLUMN ctct_objection.constant_contact_id IS
'→ ctct_contact.contact_id. May be deleted at Constant Contact.';
COMMENT ON COLUMN ctct_objection.email_digest IS
'ctct_email_digest of the address.';
COMMENT ON COLUMN ctct_objection.objected_at IS
'When it was said.';
COMMENT ON COLUMN ctct_objection.change_id IS
'→ crm_opt_out_change.change_id. The change that told of it.';
COMMENT ON COLUMN ctct_objection.lifted_at IS
'Null: it stands.';
COMMENT ON COLUMN ctct_objection.lifted_by IS
'The person who lifted it; null: the rules did.';
COMMENT ON COLUMN ctct_objection.evidence IS
'Why it was lifted.';

CREATE INDEX ctct_objection_contact ON ctct_objection (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX ctct_objection_vendor ON ctct_objection (constant_contact_id)
WHERE constant_contact_id IS NOT NULL;
CREATE INDEX ctct_objection_email ON ctct_objection (email_digest)
WHERE email_digest IS NOT NULL AND lifted_at IS NULL;
CREATE UNIQUE INDEX ctct_objection_change ON ctct_objection (change_id)
WHERE change_id IS NOT NULL;
-- The CRM's objections, to be compared with the mirror: few beside the vendor's own.
CREATE INDEX ctct_objection_of_crm ON ctct_objection (objection_id)
WHERE lifted_at IS NULL AND source IN ('flag', 'asked');
CREATE INDEX ctct_contact_digest ON ctct_contact USING hash (ctct_email_digest(email_key))
WHERE deleted_at IS NULL;
CREATE INDEX ctct_link_flagged ON ctct_link (contact_id) WHERE do_not_email;

ALTER TABLE ctct_link ADD COLUMN erased_digest text;
COMMENT ON COLUMN ctct_link.erased_digest IS
'The address is an erased person''s: this digest of it, and nothing else of the person, is kept.';

ALTER TABLE ctct_contact ADD COLUMN opt_in_source text, ADD COLUMN opt_in_date timestamptz;
COMMENT ON COLUMN ctct_contact.opt_in_source IS
'Contact: the person opted in. Account: the account said so.';

-- A change that the comparison of both sides found, about exactly this Constant Contact contact.
ALTER TABLE crm_opt_out_change ADD COLUMN IF NOT EXISTS is_found boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN crm_opt_out_change.is_found IS
'Found by comparing both sides, and not told by the CRM.';

-- All objections that stand against emailing somebody: by the CRM contact, the Constant Contact
-- contact and the address, and by CRM contacts that have that link or address. An opt-out of the
-- account's own ends with its contact: a clean-up of lists looks like one.
CREATE FUNCTION ctct_standing_objections(crm_contact text, vendor_contact text, address text)
RETURNS SETOF ctct_objection
LANGUAGE sql STABLE AS $$
    WITH mailed AS (
        SELECT coalesce(
            (
                SELECT mirrored.email_key FROM ctct_contact AS mirrored
                WHERE mirrored.contact_id = $2
            ),
            ctct_email_key($3)
        ) AS email_key
    ),
    concerned AS (
        SELECT $1 AS contact_id
        UNION
        SELECT link.contact_id FROM ctct_link AS link
        WHERE link.constant_contact_id = $2
        UNION
        SELECT link.contact_id FROM ctct_link AS link
        INNER JOIN mailed ON link.email_key = mailed.email_key
    ),
    found AS (
        SELECT objection.objection_id FROM ctct_link AS link
        INNER JOIN ctct_objection AS objection ON link.erased_digest = objection.email_digest
        WHERE link.contact_id = $1
        UNION
        SELECT objection.objection_id
        FROM concerned
        INNER JOIN ctct_objection AS objection ON concerned.contact_id = objection.contact_id
        UNION
        SELECT objection.objection_id FROM ctct_objection AS objection
        WHERE objection.constant_contact_id = $2
        UNION
        SELECT objection.objection_id
        FROM mailed
        INNER JOIN ctct_objection AS objection
            ON objection.email_digest = any(ctct_email_digests(mailed.email_key))
        WHERE objection.lifted_at IS NULL
    )
    SELECT objection.*
    FROM found
    INNER JOIN ctct_objection AS objection ON found.objection_id = objection.objection_id
    WHERE
        objection.lifted_at IS NULL
        AND NOT (
            objection.source = 'vendor_account'
            AND EXISTS (
                SELECT FROM ctct_contact AS gone
                WHERE
                    gone.contact_id = objection.constant_contact_id
                    AND gone.deleted_at IS NOT NULL
            )
        )
$$;

-- The gate: may (be emailed), must not be mailed (may exist, unsubscribed), must not exist
-- (erased); and the objection that weighs most. One row.
CREATE FUNCTION ctct_gate(crm_contact text, vendor_contact text, address text)
RETURNS TABLE (answer text, objection_id bigint, source text, objected_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT
        CASE
            WHEN objection.objection_id IS NULL THEN 'may'
            WHEN objection.source = 'erasure' THEN 'must not exist'
            ELSE 'must not be mailed'
        END,
        objection.objection_id,
        objection.source,
        objection.objected_at
    FROM (SELECT) AS one_row
    LEFT JOIN ctct_standing_objections($1, $2, $3) AS objection ON TRUE
    ORDER BY
        objection.source = 'erasure' DESC NULLS LAST,
        objection.source IN ('asked', 'vendor_contact', 'click') DESC NULLS LAST,
        objection.objected_at DESC NULLS LAST
    LIMIT 1
$$;

-- The creation of a contact is a decision without a change.
ALTER TABLE ctct_consent ALTER COLUMN change_id DROP NOT NULL;

-- What was known until here.
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason, told_by, change_id
)
SELECT
    'asked',
    change.contact_id,
    coalesce(link.constant_contact_id, change.constant_contact_id),
    ctct_email_digest(link.email_key),
    change.changed_at,
    change.reason,
    change.changed_by,
    change.change_id
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS link ON change.contact_id = link.contact_id
WHERE change.do_not_email AND change.requested_by_contact;

INSERT INTO ctct_objection (source, contact_id, constant_contact_id, email_digest, objected_at)
SELECT
    'flag',
    link.contact_id,
    link.constant_contact_id,
    ctct_email_digest(link.email_key),
    link.seen_at
FROM ctct_link AS link
WHERE link.do_not_email;

INSERT INTO ctct_objection (source, constant_contact_id, email_digest, objected_at)
SELECT
    'click',
    event.contact_id,
    ctct_email_digest(mirrored.email_key),
    max(event.occurred_at)
FROM ctct_engagement_stream AS stream
INNER JOIN ctct_engagement AS event ON stream.stream_id = event.stream_id
LEFT JOIN ctct_contact AS mirrored ON event.contact_id = mirrored.contact_id
WHERE stream.activity_type = 'opt_out'
GROUP BY event.contact_id, mirrored.email_key;

INSERT INTO ctct_objection (source, email_digest, objected_at)
SELECT
    'erasure',
    email_digest,
    since
FROM ctct_suppressed;

INSERT INTO ctct_objection (source, constant_contact_id, objected_at)
SELECT
    'erasure',
    constant_contact_id,
    erased_at
FROM ctct_erased;

DROP TABLE ctct_suppressed CASCADE;
DROP FUNCTION IF EXISTS ctct_suppressed_elsewhere() CASCADE;

-- Until a person agrees, what the first comparison finds in a CRM that was there before waits.
CREATE TABLE ctct_cut_over (
    is_the_only_one boolean PRIMARY KEY DEFAULT TRUE CHECK (is_the_only_one),
    hold_id bigint,
    ended_at timestamptz
);
COMMENT ON TABLE ctct_cut_over IS
'An upgrade to objections: one row while what the first comparison found waits for a person.';
COMMENT ON COLUMN ctct_cut_over.hold_id IS
'→ ctct_hold.hold_id. What was found; null: not compared yet.';

INSERT INTO ctct_cut_over (is_the_only_one)
SELECT TRUE
WHERE EXISTS (SELECT FROM ctct_link);
