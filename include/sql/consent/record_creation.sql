-- Record that a contact was created unsubscribed: an opt-out that we made. Parameters:
-- constant_contact_id, source (as the vendor shows it). Grain: one row.
INSERT INTO ctct_consent (
    decision, detail, constant_contact_id, permission_after, opt_out_source_after
)
VALUES (
    'created',
    'Created at Constant Contact as unsubscribed.',
    %(constant_contact_id)s,
    'unsubscribed',
    %(source)s
);
