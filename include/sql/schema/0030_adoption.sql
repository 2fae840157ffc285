-- After an upgrade a person says once whether older opt-outs of the account follow the CRM's flag.

ALTER TABLE ctct_objection ADD COLUMN hold_id bigint;
COMMENT ON COLUMN ctct_objection.hold_id IS
'→ ctct_hold.hold_id. An opt-out of the account that a person was asked whether the flag made it.';
CREATE INDEX ctct_objection_hold ON ctct_objection (hold_id) WHERE hold_id IS NOT NULL;

ALTER TABLE ctct_hold DROP CONSTRAINT ctct_hold_noun_check;
ALTER TABLE ctct_hold ADD CONSTRAINT ctct_hold_noun_check
CHECK (noun IN ('opt_outs', 'memberships', 'crm_contacts', 'links', 'objections'));

COMMENT ON COLUMN ctct_cut_over.ended_at IS
'When the whole CRM was first compared; null: not yet.';
