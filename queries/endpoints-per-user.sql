-- title: Endpoints per user
-- about: How many endpoints do users have? Pinpoint refuses a sixteenth; users with 15 or more are at the limit.
-- chart: column x=endpoints_per_user y=users
-- check: endpoints_per_user <= 15 warn  Some users have more endpoints than Pinpoint allows

WITH people AS (
    SELECT user_id, count(*) AS endpoints_per_user
    FROM endpoints
    WHERE user_id IS NOT NULL
    GROUP BY user_id
)

SELECT
    endpoints_per_user,
    count(*) AS users,
    endpoints_per_user >= 15 AS at_limit
FROM people
GROUP BY endpoints_per_user
ORDER BY endpoints_per_user
