-- title: Unreachable users
-- about: Which users have no targetable endpoint: none that is active, has an address and has not opted out? The reasons are
-- about: all that hold for any endpoint of the user: inactive, no_address, opted_out.

WITH people AS (
    SELECT
        user_id,
        count(*) AS endpoints,
        count(*) FILTER (
            WHERE endpoint_status = 'ACTIVE' AND coalesce(opt_out, 'NONE') <> 'ALL' AND address <> ''
        ) AS targetable,
        -- An endpoint without a status is not active.
        count(*) FILTER (WHERE endpoint_status IS DISTINCT FROM 'ACTIVE') AS inactive,
        count(*) FILTER (WHERE coalesce(address, '') = '') AS no_address,
        count(*) FILTER (WHERE opt_out = 'ALL') AS opted_out
    FROM endpoints
    WHERE user_id IS NOT NULL
    GROUP BY user_id
)

SELECT
    user_id,
    endpoints,
    array_compact(make_array(
        CASE WHEN inactive > 0 THEN 'inactive' END,
        CASE WHEN no_address > 0 THEN 'no_address' END,
        CASE WHEN opted_out > 0 THEN 'opted_out' END
    )) AS reasons
FROM people
WHERE targetable = 0
ORDER BY endpoints DESC, user_id
