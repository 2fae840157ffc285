-- Comments in plain words.

COMMENT ON COLUMN crm_opt_out_change.constant_contact_id IS
'→ ctct_contact.contact_id. The contact at the vendor that it is about.';
COMMENT ON TABLE ctct_restore IS
'Restores of the CRM: failed requests of before to put contacts on a list are retried one by one.';
COMMENT ON TABLE ctct_engagement IS
'The ledger: every event that the vendor reports, once, linked or not. No address.';
COMMENT ON TABLE ctct_confirmation IS
'Contacts that the vendor has sent its confirmation mail: once ever to each.';
COMMENT ON COLUMN ctct_confirmation.answer IS
'The vendor''s; null: it is not known whether the mail was sent.';
