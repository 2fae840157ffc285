-- After an upgrade a person says once whether older opt-outs of the account follow the CRM's flag.
-- And a mass that could be mailed again has a name of its own: it is no mass of opt-outs.

ALTER TABLE ctct_objection ADD COLUMN hold_id bigint;
COMMENT ON COLUMN ctct_objection.hold_id IS
'→ ctct_hold.hold_id. An opt-out of the account that a person was asked whether the flag made it.';
CREATE INDEX ctct_objection_hold ON ctct_objection (hold_id) WHERE hold_id IS NOT NULL;

ALTER TABLE ctct_hold DROP CONSTRAINT ctct_hold_noun_check;
ALTER TABLE ctct_hold ADD CONSTRAINT ctct_hold_noun_check
CHECK (noun IN ('opt_outs', 'opt_ins', 'memberships', 'crm_contacts', 'links', 'objections'));
UPDATE ctct_hold
SET noun = 'opt_ins'
WHERE
    noun = 'opt_outs'
    AND EXISTS (
        SELECT FROM crm_opt_out_change AS change
        WHERE change.hold_id = ctct_hold.hold_id AND NOT change.do_not_email
    );

COMMENT ON COLUMN ctct_cut_over.ended_at IS
'When the whole CRM was first compared; null: not yet.';

COMMENT ON COLUMN ctct_finding.reason IS
'Why, as one word of constant_contact.sync.upkeep.findings; null: not known.';
