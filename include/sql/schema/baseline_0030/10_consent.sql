-- Objections, decisions, and what waits for a person.

CREATE TABLE ctct_hold (
    hold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    noun text NOT NULL
    CHECK (noun IN ('opt_outs', 'opt_ins', 'memberships', 'crm_contacts', 'links', 'objections')),
    held_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    detail text NOT NULL,
    asked_at timestamptz,
    answer text
    CHECK (answer IN ('approved', 'rejected')),
    answered_at timestamptz,
    answered_by text,
    reminded_at timestamptz
);

COMMENT ON TABLE ctct_hold IS
'One stop of the circuit breaker, and a person''s answer to it.';
COMMENT ON COLUMN ctct_hold.asked_at IS
'When Airflow put the question.';
COMMENT ON COLUMN ctct_hold.reminded_at IS
'When a person was last reminded of it; null: never.';

CREATE TABLE ctct_objection (
    objection_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL
    CHECK (source IN ('flag', 'asked', 'vendor_contact', 'vendor_account', 'click', 'erasure')),
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
    evidence text,
    hold_id bigint
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
COMMENT ON COLUMN ctct_objection.hold_id IS
'→ ctct_hold.hold_id. An opt-out of the account that a person was asked whether the flag made it.';

CREATE UNIQUE INDEX ctct_objection_change ON ctct_objection (change_id, source)
WHERE change_id IS NOT NULL;
CREATE INDEX ctct_objection_contact ON ctct_objection (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX ctct_objection_email ON ctct_objection (email_digest)
WHERE email_digest IS NOT NULL AND lifted_at IS NULL;
CREATE INDEX ctct_objection_hold ON ctct_objection (hold_id) WHERE hold_id IS NOT NULL;

-- The CRM's objections, to be compared with the mirror: few beside the vendor's own.
CREATE INDEX ctct_objection_of_crm ON ctct_objection (objection_id)
WHERE lifted_at IS NULL AND source IN ('flag', 'asked');
CREATE INDEX ctct_objection_vendor ON ctct_objection (constant_contact_id)
WHERE constant_contact_id IS NOT NULL;

CREATE TABLE ctct_consent (
    consent_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    change_id bigint,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    decision text NOT NULL,
    detail text,
    decided_by text,
    constant_contact_id text,
    permission_before text,
    opt_out_source_before text,
    permission_after text,
    opt_out_source_after text,
    call_method text,
    called_at timestamptz,
    call_status integer,
    request_id text
);

COMMENT ON TABLE ctct_consent IS
'Every decision about a change of Do Not Email. Nothing here is edited or deleted.';
COMMENT ON COLUMN ctct_consent.change_id IS
'→ crm_opt_out_change.change_id.';
COMMENT ON COLUMN ctct_consent.decided_by IS
'The person who decided; null: the rules did.';
COMMENT ON COLUMN ctct_consent.called_at IS
'The call that the decision rests on, as in ctct_api_call.';

CREATE INDEX ctct_consent_change ON ctct_consent (change_id);

-- Before an opt-out is taken back it is asked what stood before it, by the vendor's contact.
CREATE INDEX ctct_consent_contact ON ctct_consent (constant_contact_id);

-- Contacts that we opted in again: what they said meanwhile is looked for among these.
CREATE INDEX ctct_consent_opt_in ON ctct_consent (constant_contact_id, decided_at)
WHERE decision IN ('resubscribed', 'resubscribing');

-- What an opt-out of ours took, to be compared with the mirror: few beside all decisions.
CREATE INDEX ctct_consent_opt_out ON ctct_consent (constant_contact_id, consent_id)
WHERE
permission_before IS DISTINCT FROM 'unsubscribed'
AND (decision IN ('unsubscribed', 'unsubscribing') OR permission_after = 'unsubscribed');

CREATE TABLE ctct_confirmation (
    constant_contact_id text PRIMARY KEY,
    change_id bigint NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_by text NOT NULL,
    answer text
);

COMMENT ON TABLE ctct_confirmation IS
'Whom the vendor has sent its confirmation mail: once ever to a contact.';
COMMENT ON COLUMN ctct_confirmation.answer IS
'The vendor''s; null: nobody knows whether the mail was sent.';

CREATE TABLE ctct_erased (
    constant_contact_id text PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_by text NOT NULL,
    is_in_log boolean NOT NULL DEFAULT TRUE
);

COMMENT ON TABLE ctct_erased IS
'The vendor''s contacts that were erased here: what the vendor still says of them is not stored.';
COMMENT ON COLUMN ctct_erased.constant_contact_id IS
'→ ctct_contact.contact_id.';
COMMENT ON COLUMN ctct_erased.is_in_log IS
'The log of calls is gone through after the erasure; until then it may have the id.';

CREATE TABLE ctct_cut_over (
    is_the_only_one boolean PRIMARY KEY DEFAULT TRUE
    CHECK (is_the_only_one),
    hold_id bigint,
    ended_at timestamptz,
    opt_ins_ended_at timestamptz
);

COMMENT ON TABLE ctct_cut_over IS
'An upgrade to objections: one row while what the first comparison found waits for a person.';
COMMENT ON COLUMN ctct_cut_over.hold_id IS
'→ ctct_hold.hold_id. The opt-outs that were found; null: none were.';
COMMENT ON COLUMN ctct_cut_over.ended_at IS
'When the whole CRM was first compared; null: not yet.';
COMMENT ON COLUMN ctct_cut_over.opt_ins_ended_at IS
'When it was first compared which opt-outs nothing holds any more; null: not yet.';

-- All objections that stand against emailing a person: by the CRM contact, the Constant Contact
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

-- Whether the vendor's answer to a PUT that was about to be sent is known. What it says to a PUT,
-- such as a conflict, is of the one just before; an opt-out that it shows is of all.
CREATE FUNCTION ctct_is_answered(change bigint, sent bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM ctct_consent AS heard
        WHERE
            heard.change_id = $1
            AND heard.consent_id > $2
            AND (
                heard.decision = 'unsubscribed'
                OR (
                    heard.decision IN ('unchanged', 'failed', 'conflict')
                    AND heard.call_method = 'PUT'
                    AND NOT EXISTS (
                        SELECT FROM ctct_consent AS between_them
                        WHERE
                            between_them.change_id = $1
                            AND between_them.consent_id > $2
                            AND between_them.consent_id < heard.consent_id
                    )
                )
            )
    )
$$;

-- The doorbell: triggers of the CRM's own table (include/sql/crm/doorbell.sql) tell here that a
-- contact's flag was set or cleared, or that the contact asked. Arguments: the names of the columns
-- of the id and the address, and whether the flag is set now ('true' or 'false'). It runs with its
-- owner's rights, since the CRM's users have none here; changed_by is the session's user all the
-- same. A session that knows more says so before it writes:
--   SET LOCAL constant_contact.reason = '…';
--   SET LOCAL constant_contact.requested_by_contact = 'on';
--   SET LOCAL constant_contact.changed_by = '…'
CREATE FUNCTION ctct_ring() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    contact jsonb := to_jsonb(NEW);
    rung_id text := contact ->> TG_ARGV[0];
BEGIN
    IF (SELECT relpersistence FROM pg_catalog.pg_class WHERE oid = TG_RELID) = 't' THEN
        RAISE EXCEPTION 'a temporary table has no doorbell';
    END IF;
    -- A column that was renamed since stops no write of the CRM's: the next look sees the change.
    IF rung_id IS NULL THEN
        RETURN NULL;
    END IF;
    -- As a cast to text has it.
    IF EXISTS (
        SELECT FROM pg_catalog.pg_attribute
        WHERE attrelid = TG_RELID AND attname = TG_ARGV[0] AND atttypid = 'pg_catalog.bpchar'::regtype
    ) THEN
        rung_id := rtrim(rung_id, ' ');
    END IF;
    INSERT INTO crm_opt_out_change (
        contact_id, constant_contact_id, do_not_email, reason, requested_by_contact, changed_by,
        email_digest
    )
    VALUES (
        rung_id,
        (
            SELECT link.constant_contact_id FROM ctct_link AS link WHERE link.contact_id = rung_id
        ),
        TG_ARGV[2]::boolean,
        nullif(current_setting('constant_contact.reason', TRUE), ''),
        coalesce(nullif(current_setting('constant_contact.requested_by_contact', TRUE), ''), 'off')::boolean,
        coalesce(nullif(current_setting('constant_contact.changed_by', TRUE), ''), session_user),
        ctct_email_digest(ctct_email_key(contact ->> TG_ARGV[1]))
    );
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION ctct_ring() FROM public;
-- Nothing that its caller has made is found before ours: temporary tables come last.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ctct_ring() SET search_path = %I, pg_temp', current_schema());
END
$$;

CREATE VIEW crm_consent_difference AS
SELECT
    link.contact_id,
    link.constant_contact_id,
    mirrored.permission_to_send,
    mirrored.opt_out_source,
    mirrored.opt_out_date,
    coalesce(link.do_not_email, FALSE) AS do_not_email
FROM ctct_link AS link
INNER JOIN ctct_contact AS mirrored ON link.constant_contact_id = mirrored.contact_id
WHERE
    mirrored.deleted_at IS NULL
    AND mirrored.email_key IS NOT NULL
    AND coalesce(link.do_not_email, FALSE)
    <> coalesce(mirrored.permission_to_send = 'unsubscribed', FALSE);
COMMENT ON VIEW crm_consent_difference IS
'Linked contacts of which one side says no and the other does not.';
