-- title: Targetable endpoints by channel
-- about: Who can be reached? Endpoints that are active, have an address and have not opted out.
-- chart: bar x=channel_type y=targetable_share
-- check: targetable > 0 warn  No endpoint of a channel can be reached

WITH channels AS (
    SELECT
        channel_type,
        count(*) AS endpoints,
        count(*) FILTER (
            WHERE endpoint_status = 'ACTIVE' AND coalesce(opt_out, 'NONE') <> 'ALL' AND address <> ''
        ) AS targetable
    FROM endpoints
    GROUP BY channel_type
)

SELECT
    channel_type,
    endpoints,
    targetable,
    CAST(targetable AS DOUBLE) / endpoints AS targetable_share
FROM channels
ORDER BY endpoints DESC, channel_type NULLS LAST
