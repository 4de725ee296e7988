-- title: App versions
-- about: Which versions of the app were in use, month by month? The month (UTC) is that of an endpoint's last update, when
-- about: it told its version. The share is of all endpoints, month_share of those of the month that told a version.
-- param: min_endpoints integer = 1  Leave out versions of a month with fewer endpoints than this
-- chart: area x=month y=month_share series=app_version stacked=true

WITH versions AS (
    SELECT
        app_version,
        date_part('year', effective_date) AS year,
        date_part('month', effective_date) AS month,
        count(*) AS endpoints
    FROM endpoints
    GROUP BY 1, 2, 3
),

shares AS (
    SELECT
        app_version,
        make_date(year, month, 1) AS month,
        endpoints,
        CAST(endpoints AS DOUBLE) / sum(endpoints) OVER () AS share,
        CASE
            WHEN app_version IS NOT NULL
                THEN CAST(endpoints AS DOUBLE) / sum(endpoints) OVER (PARTITION BY year, month, app_version IS NULL)
        END AS month_share
    FROM versions
)

SELECT app_version, month, endpoints, share, month_share
FROM shares
WHERE endpoints >= $min_endpoints
ORDER BY month NULLS LAST, endpoints DESC, app_version NULLS LAST
