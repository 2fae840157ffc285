-- Keep what is found to differ; since when, stays. Parameters: noun; arrays subject_id, kind,
-- vendor_count, our_count, reason, detail; checked_at. Grain: one row a finding.
INSERT INTO ctct_finding AS known (
    noun, subject_id, kind, vendor_count, our_count, reason, detail, found_at, checked_at
)
SELECT
    %(noun)s,
    subject_id,
    kind,
    vendor_count,
    our_count,
    reason,
    detail,
    %(checked_at)s,
    %(checked_at)s
FROM
    unnest(
        %(subject_id)s::text[], %(kind)s::text[], %(vendor_count)s::integer[],
        %(our_count)s::integer[], %(reason)s::text[], %(detail)s::text[]
    ) AS found (subject_id, kind, vendor_count, our_count, reason, detail)
ON CONFLICT (noun, subject_id, kind) DO UPDATE SET
    vendor_count = excluded.vendor_count,
    our_count = excluded.our_count,
    reason = excluded.reason,
    detail = excluded.detail,
    checked_at = excluded.checked_at;
