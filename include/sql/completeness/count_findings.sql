-- How many findings there are, and how much is missing or too many in them. Grain: one row.
SELECT
    count(*) FILTER (WHERE noun = 'campaign') AS campaigns__findings,
    coalesce(sum(abs(vendor_count - our_count)) FILTER (WHERE noun = 'campaign'), 0)
        AS campaigns__difference,
    count(*) FILTER (WHERE noun = 'contacts') AS contacts__findings,
    coalesce(sum(abs(vendor_count - our_count)) FILTER (WHERE noun = 'contacts'), 0)
        AS contacts__difference,
    count(*) FILTER (WHERE noun = 'list') AS lists__findings,
    coalesce(sum(abs(vendor_count - our_count)) FILTER (WHERE noun = 'list'), 0)
        AS lists__difference
FROM ctct_finding;
