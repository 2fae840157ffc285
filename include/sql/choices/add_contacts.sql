-- Keep whom a person chose. Parameters: choice_id, contact_id (array). Grain: one row a contact.
INSERT INTO ctct_choice_contact (choice_id, contact_id)
SELECT
    %(choice_id)s,
    chosen.contact_id
FROM unnest(%(contact_id)s::text[]) AS chosen (contact_id);
