-- title: Audience summary
-- about: How big is the audience? Endpoints, the people behind them, and how many of them can be reached.
-- check: endpoints > 0 warn  The snapshot holds no endpoints
-- check: distinct_ids = endpoints warn  Some endpoint ids are missing or occur more than once

WITH totals AS (
    SELECT
        count(*) AS endpoints,
        count(*) FILTER (WHERE user_id IS NULL) AS anonymous_endpoints,
        -- Pinpoint sends to an endpoint that is active, has an address and has not opted out; no opt-out is none.
        count(*) FILTER (
            WHERE endpoint_status = 'ACTIVE' AND coalesce(opt_out, 'NONE') <> 'ALL' AND address <> ''
        ) AS targetable,
        count(*) FILTER (WHERE opt_out = 'ALL') AS opted_out,
        count(*) FILTER (WHERE endpoint_status = 'INACTIVE') AS inactive,
        min(creation_date) AS first_created,
        max(effective_date) AS last_effective
    FROM endpoints
),

-- Distinct values are counted as groups, which use every core and can spill to disk; count(DISTINCT ...) can do neither.
-- Each count carries those before it along, so that they run one after another and only one set of values is in memory.
ids AS (
    SELECT count(id) AS distinct_ids FROM (SELECT DISTINCT id FROM endpoints)
),

reached_by AS (
    SELECT count(address) AS addresses, coalesce(max(distinct_ids), 0) AS distinct_ids
    FROM ids CROSS JOIN (SELECT DISTINCT address FROM endpoints)
),

people AS (
    SELECT count(user_id) AS users, coalesce(max(addresses), 0) AS addresses, coalesce(max(distinct_ids), 0) AS distinct_ids
    FROM reached_by CROSS JOIN (SELECT DISTINCT user_id FROM endpoints)
)

SELECT
    endpoints,
    distinct_ids,
    addresses,
    users,
    anonymous_endpoints,
    targetable,
    opted_out,
    inactive,
    first_created,
    last_effective
FROM totals
CROSS JOIN people
