-- One edit at a time of one of the vendor's contacts. Parameters: constant_contact_id.
-- Grain: one row; waits for whoever is at it, and holds to the transaction's end.
SELECT pg_advisory_xact_lock(hashtextextended(%(constant_contact_id)s, 0));
