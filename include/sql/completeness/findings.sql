-- Where what is stored is not what the vendor counts, the largest difference first.
-- Parameters: noun (null: all). Grain: one row a finding, with the name of its campaign or list.
SELECT
    found.noun,
    found.subject_id,
    found.kind,
    found.vendor_count,
    found.our_count,
    found.reason,
    found.detail,
    found.found_at,
    coalesce(campaign.name, list.name) AS name
FROM ctct_finding AS found
LEFT JOIN ctct_campaign AS campaign
    ON found.noun = 'campaign' AND found.subject_id = campaign.campaign_id
LEFT JOIN ctct_list AS list ON found.noun = 'list' AND found.subject_id = list.list_id
WHERE %(noun)s::text IS NULL OR found.noun = %(noun)s
ORDER BY abs(found.vendor_count - found.our_count) DESC, found.subject_id ASC, found.kind ASC;
