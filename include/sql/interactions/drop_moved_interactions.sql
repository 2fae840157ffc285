-- Take away the interactions of CRM contacts that are linked to another of the vendor's contacts
-- by now (or that are gone): those of link_change. A link that was only cleared keeps its history:
-- it did happen. Grain: one row an interaction.
DELETE FROM crm_interaction AS interaction
USING link_change AS link
WHERE NOT link.is_new AND interaction.contact_id = link.crm_contact_id;
