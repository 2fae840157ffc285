-- A change tells of two objections where the contact asked for it: its wish, and the CRM's flag.
-- The one is lifted by the contact, the other by the CRM.

DROP INDEX ctct_objection_change;
CREATE UNIQUE INDEX ctct_objection_change ON ctct_objection (change_id, source)
WHERE change_id IS NOT NULL;

-- Contacts that we opted in again: what they said meanwhile is looked for among these.
CREATE INDEX ctct_consent_opt_in ON ctct_consent (constant_contact_id, decided_at)
WHERE decision IN ('resubscribed', 'resubscribing');

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
