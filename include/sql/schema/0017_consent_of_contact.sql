-- Before an opt-out is taken back it is asked what stood before it, by the vendor's contact.
CREATE INDEX ctct_consent_contact ON ctct_consent (constant_contact_id);
