-- title: Lifetime
-- about: How long do endpoints live? Days from creation to the last update, as exact quantiles of the endpoints that have
-- about: both dates. Never updated are those whose two dates lie no further apart than one request takes; their share is of
-- about: all endpoints of the channel.
-- param: never_seconds number = 1  Take an endpoint for never updated up to so many seconds after its creation
-- chart: bar x=channel_type y=p50_days

-- Instants as numbers are microseconds.
WITH spans AS (
    SELECT channel_type, CAST(effective_date AS BIGINT) - CAST(creation_date AS BIGINT) AS span
    FROM endpoints
),

channels AS (
    SELECT
        channel_type,
        count(*) AS endpoints,
        count(span) AS dated_endpoints,
        count(*) FILTER (WHERE span <= $never_seconds * 1000000) AS never_updated
    FROM spans
    GROUP BY channel_type
),

ranked AS (
    SELECT
        channel_type,
        span,
        row_number() OVER (PARTITION BY channel_type ORDER BY span) AS place,
        count(*) OVER (PARTITION BY channel_type) AS size
    FROM spans
    WHERE span IS NOT NULL
),

-- A quantile lies between two neighbours. With nine tenths of the way in whole numbers no rounding decides between which;
-- the place behind the last one is never needed.
neighbours AS (
    SELECT
        channel_type,
        CAST(max((size - 1) % 2) AS DOUBLE) / 2 AS p50_between,
        max(span) FILTER (WHERE place = (size - 1) / 2 + 1) AS p50_below,
        max(span) FILTER (WHERE place = (size - 1) / 2 + 2) AS p50_above,
        CAST(max((size - 1) * 9 % 10) AS DOUBLE) / 10 AS p90_between,
        max(span) FILTER (WHERE place = (size - 1) * 9 / 10 + 1) AS p90_below,
        max(span) FILTER (WHERE place = (size - 1) * 9 / 10 + 2) AS p90_above
    FROM ranked
    GROUP BY channel_type
)

SELECT
    c.channel_type,
    c.endpoints,
    (n.p50_below + n.p50_between * (coalesce(n.p50_above, n.p50_below) - n.p50_below)) / 86400000000 AS p50_days,
    (n.p90_below + n.p90_between * (coalesce(n.p90_above, n.p90_below) - n.p90_below)) / 86400000000 AS p90_days,
    CAST(c.never_updated AS DOUBLE) / c.endpoints AS never_updated_share,
    c.dated_endpoints
FROM channels AS c
LEFT JOIN neighbours AS n ON n.channel_type IS NOT DISTINCT FROM c.channel_type
ORDER BY c.endpoints DESC, c.channel_type NULLS LAST
