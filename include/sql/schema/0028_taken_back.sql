-- Opt-outs of ours that no objection is behind any more are found by comparing both sides.

-- What an opt-out of ours took, to be compared with the mirror: few beside all decisions.
CREATE INDEX ctct_consent_opt_out ON ctct_consent (constant_contact_id, consent_id)
WHERE
permission_before IS DISTINCT FROM 'unsubscribed'
AND (decision IN ('unsubscribed', 'unsubscribing') OR permission_after = 'unsubscribed');

-- Objections to contacts that are gone: whether they came back under another id.
CREATE INDEX ctct_contact_deleted ON ctct_contact (contact_id) WHERE deleted_at IS NOT NULL;

-- A database that was there before has opt-outs of years: what the first comparison would take back
-- waits for a person, as the opt-outs that it finds do.
ALTER TABLE ctct_cut_over ADD COLUMN opt_ins_ended_at timestamptz;
COMMENT ON COLUMN ctct_cut_over.hold_id IS
'→ ctct_hold.hold_id. The opt-outs that were found; null: none were.';
COMMENT ON COLUMN ctct_cut_over.ended_at IS
'When opt-outs were first found; null: not yet.';
COMMENT ON COLUMN ctct_cut_over.opt_ins_ended_at IS
'When it was first compared which opt-outs nothing holds any more; null: not yet.';

INSERT INTO ctct_cut_over (is_the_only_one, ended_at)
SELECT
    TRUE,
    clock_timestamp()
WHERE EXISTS (SELECT FROM ctct_link)
ON CONFLICT (is_the_only_one) DO NOTHING;
