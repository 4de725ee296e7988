-- title: Channel overlap
-- about: Which sets of channels do users have? Channels are in alphabetical order, joined by a plus sign.
-- chart: bar x=channels y=users

WITH pairs AS (
    SELECT user_id, channel_type, count(*) AS endpoints
    FROM endpoints
    WHERE user_id IS NOT NULL
    GROUP BY user_id, channel_type
),

people AS (
    SELECT
        user_id,
        array_to_string(
            array_sort(array_agg(channel_type) FILTER (WHERE channel_type IS NOT NULL)), '+'
        ) AS channels,
        sum(endpoints) AS endpoints
    FROM pairs
    GROUP BY user_id
)

SELECT channels, count(*) AS users, sum(endpoints) AS endpoints
FROM people
GROUP BY channels
ORDER BY users DESC, channels NULLS LAST
