-- Keep what became of a call. Parameters: bulk_id, state, and where they are news: activity_id,
-- is_adopted, vendor_state, counts (JSON), adds_up, error. Grain: one row.
UPDATE ctct_bulk_activity
SET
    state = %(state)s,
    activity_id = coalesce(%(activity_id)s, activity_id),
    is_adopted = coalesce(%(is_adopted)s, is_adopted),
    vendor_state = coalesce(%(vendor_state)s, vendor_state),
    counts = coalesce(%(counts)s::jsonb, counts),
    adds_up = coalesce(%(adds_up)s, adds_up),
    error = coalesce(%(error)s, error),
    ended_at = CASE WHEN %(state)s IN ('ended', 'done') THEN clock_timestamp() END
WHERE bulk_id = %(bulk_id)s;
