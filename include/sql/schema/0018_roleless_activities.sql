-- Activities that say no role are reported ones, which was learned late: campaigns read before that
-- would not be asked again, and their engagement never come.
UPDATE ctct_campaign SET activities_read_at = NULL
WHERE
    campaign_id IN (
        SELECT activity.campaign_id
        FROM ctct_campaign_activity AS activity
        WHERE
            activity.role IS NULL
            AND NOT EXISTS (
                SELECT FROM ctct_engagement_stream AS stream
                WHERE stream.campaign_activity_id = activity.campaign_activity_id
            )
    );
