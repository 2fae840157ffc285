-- How many contacts are absent. Grain: one row.
SELECT count(*) AS absent FROM absent_contact;
