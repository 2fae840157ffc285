-- Consent: who changed the flag, what was decided about it and by which call, and what waits for a
-- person.

ALTER TABLE crm_opt_out_change
ADD COLUMN IF NOT EXISTS changed_by text,
-- The stop of the circuit breaker that holds it, or held it.
ADD COLUMN IF NOT EXISTS hold_id bigint;

CREATE INDEX IF NOT EXISTS crm_opt_out_change_hold
ON crm_opt_out_change (hold_id) WHERE hold_id IS NOT NULL;

-- A session that knows more says so before it writes, as for the reason:
--   SET LOCAL constant_contact.changed_by = '…'
CREATE OR REPLACE FUNCTION crm_contact_opt_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crm_opt_out_change (
        contact_id, constant_contact_id, do_not_email, reason, requested_by_contact, changed_by
    )
    VALUES (
        NEW.contact_id,
        NEW.constant_contact_id,
        coalesce(NEW.do_not_email, FALSE),
        nullif(current_setting('constant_contact.reason', TRUE), ''),
        coalesce(nullif(current_setting('constant_contact.requested_by_contact', TRUE), ''), 'off')::boolean,
        coalesce(nullif(current_setting('constant_contact.changed_by', TRUE), ''), session_user)
    );
    RETURN NULL;
END
$$;

-- One stop of the circuit breaker: its rows go on, or stay, by one person's answer.
CREATE TABLE ctct_hold (
    hold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    noun text NOT NULL CHECK (noun IN ('opt_outs', 'memberships')),
    held_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    detail text NOT NULL,
    -- When Airflow put the question to a person.
    asked_at timestamptz,
    answer text CHECK (answer IN ('approved', 'rejected')),
    answered_at timestamptz,
    answered_by text
);

-- What was held before stops had a row of their own is asked about as one.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    SELECT DISTINCT
        'opt_outs',
        'Held by the circuit breaker before this version, which asks a person.'
    FROM crm_opt_out_change
    WHERE status = 'held' AND do_not_email
    RETURNING hold_id
)

UPDATE crm_opt_out_change AS change
SET hold_id = hold.hold_id
FROM hold
WHERE change.status = 'held' AND change.do_not_email;

-- Every decision about a change of Do Not Email, in the transaction that made it. Nothing here is
-- ever edited or deleted.
CREATE TABLE ctct_consent (
    consent_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    change_id bigint NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    decision text NOT NULL,
    detail text,
    -- The person who decided; null: the rules did.
    decided_by text,
    constant_contact_id text,
    permission_before text,
    opt_out_source_before text,
    permission_after text,
    opt_out_source_after text,
    -- The call that it rests on, as in ctct_api_call: by time, and by the vendor's request id.
    call_method text,
    called_at timestamptz,
    call_status integer,
    request_id text
);

CREATE INDEX ctct_consent_change ON ctct_consent (change_id);

-- The vendor sends its confirmation mail once ever to a contact: written before it is asked for.
CREATE TABLE ctct_confirmation (
    constant_contact_id text PRIMARY KEY,
    change_id bigint NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_by text NOT NULL,
    -- What the vendor answered; null: nobody knows whether the mail was sent.
    answer text
);

-- Where the two sides disagree about whether a linked contact may be mailed.
CREATE VIEW crm_consent_difference AS
SELECT
    crm.contact_id,
    crm.constant_contact_id,
    mirrored.permission_to_send,
    mirrored.opt_out_source,
    mirrored.opt_out_date,
    coalesce(crm.do_not_email, FALSE) AS do_not_email
FROM crm_contact AS crm
INNER JOIN ctct_contact AS mirrored ON crm.constant_contact_id = mirrored.contact_id
WHERE
    mirrored.deleted_at IS NULL
    AND mirrored.email_key IS NOT NULL
    AND coalesce(crm.do_not_email, FALSE)
    <> coalesce(mirrored.permission_to_send = 'unsubscribed', FALSE);
