-- title: Recency
-- about: How fresh is the audience? Whole days since an endpoint was last updated, in bands whose upper bound is included.
-- param: as_of timestamp = null  Count days back from here; the newest effective date where it is not given
-- chart: bar x=band y=endpoints series=channel_type stacked=true

WITH reference AS (
    SELECT coalesce($as_of, max(effective_date)) AS as_of FROM endpoints
),

-- N whole days or fewer means less than N + 1 days of 24 hours. Worked out once, not for every endpoint.
limits AS (
    SELECT
        as_of - INTERVAL '2 days' AS days_1,
        as_of - INTERVAL '8 days' AS days_7,
        as_of - INTERVAL '15 days' AS days_14,
        as_of - INTERVAL '31 days' AS days_30,
        as_of - INTERVAL '91 days' AS days_90,
        as_of - INTERVAL '181 days' AS days_180,
        as_of - INTERVAL '366 days' AS days_365
    FROM reference
),

banded AS (
    SELECT
        e.channel_type,
        CASE
            WHEN e.effective_date IS NULL THEN 9
            WHEN e.effective_date > l.days_1 THEN 1
            WHEN e.effective_date > l.days_7 THEN 2
            WHEN e.effective_date > l.days_14 THEN 3
            WHEN e.effective_date > l.days_30 THEN 4
            WHEN e.effective_date > l.days_90 THEN 5
            WHEN e.effective_date > l.days_180 THEN 6
            WHEN e.effective_date > l.days_365 THEN 7
            ELSE 8
        END AS place
    FROM endpoints AS e
    CROSS JOIN limits AS l
),

counted AS (
    SELECT place, channel_type, count(*) AS endpoints FROM banded GROUP BY place, channel_type
),

bands (place, band) AS (
    VALUES
        (1, '≤1'), (2, '≤7'), (3, '≤14'), (4, '≤30'), (5, '≤90'),
        (6, '≤180'), (7, '≤365'), (8, '>365'), (9, 'unknown')
)

SELECT
    bands.band,
    counted.channel_type,
    counted.endpoints,
    CAST(counted.endpoints AS DOUBLE) / sum(counted.endpoints) OVER () AS share
FROM counted
INNER JOIN bands ON bands.place = counted.place
ORDER BY bands.place, counted.channel_type NULLS LAST
