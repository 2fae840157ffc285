-- One look at the CRM's contacts at a time, to the transaction's end. Grain: one row.
SELECT pg_advisory_xact_lock(hashtextextended('constant_contact crm contacts', ctct_account_key()));
