-- Let the next run plan and send. Grain: one row.
SELECT pg_advisory_unlock(hashtextextended('constant_contact memberships', 0)) AS was_ours;
