-- Whether the vendor's count of contacts was found to differ since they were last read whole.
-- Parameters: full_pass_at. Grain: one row.
SELECT
    EXISTS(
        SELECT FROM ctct_finding
        WHERE noun = 'contacts' AND found_at > %(full_pass_at)s
    ) AS differ;
