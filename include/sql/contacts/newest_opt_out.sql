-- When the vendor's contacts last opted out, by the vendor's clock. Grain: one row.
SELECT max(opt_out_date) AS opt_out_date FROM ctct_contact;
