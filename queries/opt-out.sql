-- title: Opt-out by channel and country
-- about: Who refuses? Share of endpoints whose owner refuses every message.
-- param: since date = 1970-01-01    Count only endpoints created on or after this day; the default leaves nothing out
-- param: min_endpoints integer = 1  Leave out groups smaller than this
-- chart: heatmap x=channel_type y=country value=opt_out_share
-- check: opt_out_share <= 0.5 OR endpoints < 100 warn  More than half of a group of 100 or more has opted out

WITH refusals AS (
    SELECT
        e.channel_type,
        -- Exports hold alpha-2 and alpha-3 codes; what is neither stays as it came.
        coalesce(c.alpha2, e.country) AS country,
        count(*) AS endpoints,
        count(*) FILTER (WHERE e.opt_out = 'ALL') AS opted_out
    FROM endpoints AS e
    LEFT JOIN country_codes AS c ON c.code = upper(trim(e.country))
    WHERE $since <= DATE '1970-01-01' OR e.creation_date >= $since
    GROUP BY 1, 2
)

SELECT
    channel_type,
    country,
    endpoints,
    opted_out,
    CAST(opted_out AS DOUBLE) / endpoints AS opt_out_share
FROM refusals
WHERE endpoints >= $min_endpoints
ORDER BY endpoints DESC, channel_type NULLS LAST, country NULLS LAST
