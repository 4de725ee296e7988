-- title: Growth
-- about: How many endpoints came in each period (UTC), and how many there were by then? Periods without new
-- about: endpoints are left out; endpoints without a creation date come last, as a period of their own.
-- param: grain text = month {day, week, month}  Length of a period; weeks begin on Monday
-- chart: column x=period y=new_endpoints series=channel_type stacked=true

-- Days are counted first, for there are far fewer of them to truncate than endpoints. date_trunc would do it for the years
-- 1678 to 2261 only, since it counts nanoseconds, and one odd date would stop the report.
WITH days AS (
    SELECT CAST(creation_date AS DATE) AS day, channel_type, count(*) AS new_endpoints
    FROM endpoints
    GROUP BY 1, 2
),

periods AS (
    SELECT
        CASE $grain
            WHEN 'month' THEN make_date(date_part('year', day), date_part('month', day), 1)
            WHEN 'week' THEN day - (date_part('isodow', day) - 1)
            ELSE day
        END AS period,
        channel_type,
        sum(new_endpoints) AS new_endpoints
    FROM days
    GROUP BY 1, 2
)

SELECT
    period,
    channel_type,
    new_endpoints,
    sum(new_endpoints) OVER (
        PARTITION BY channel_type
        ORDER BY period NULLS LAST
        ROWS UNBOUNDED PRECEDING
    ) AS running_total
FROM periods
ORDER BY period NULLS LAST, channel_type NULLS LAST
