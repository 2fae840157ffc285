-- Events from number %(first)s to %(last)s, over the streams of campaigns 1 to %(campaigns)s and
-- %(contacts)s contacts; three of five are sends, and no two are the same.
INSERT INTO ctct_engagement (
    stream_id, ordinal, occurred_at, contact_id, url_id, link_url, device_type, bounce_code
)
SELECT
    6 * (event.number / 10 %% %(campaigns)s)
    + (ARRAY[1, 1, 1, 1, 1, 1, 2, 2, 3, 4])[1 + event.number %% 10],
    1,
    now() - INTERVAL '700 days' + make_interval(secs => event.number * 5),
    md5((1 + event.number * 7919 %% %(contacts)s)::text)::uuid::text,
    CASE WHEN event.number %% 10 = 8 THEN 'url-1' ELSE '' END,
    CASE WHEN event.number %% 10 = 8 THEN 'https://www.example.com/page-1' END,
    CASE WHEN event.number %% 10 IN (6, 7, 8) THEN 'mobile' END,
    CASE WHEN event.number %% 10 = 9 THEN 'F' END
FROM (
    SELECT number::bigint FROM generate_series(%(first)s, %(last)s) AS number
) AS event;
