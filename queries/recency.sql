-- title: Recency
-- about: How fresh is the audience? Whole days since an endpoint was last updated, in bands whose upper bound is included.
-- param: as_of timestamp = null  Count days back from here; the newest effective date where it is not given
-- chart: bar x=band y=endpoints series=channel_type

WITH reference AS (
    SELECT coalesce($as_of, max(effective_date)) AS as_of FROM endpoints
),

-- N whole days or fewer means less than N + 1 days of 24 hours.
banded AS (
    SELECT
        e.channel_type,
        CASE
            WHEN e.effective_date IS NULL THEN 9
            WHEN e.effective_date > r.as_of - INTERVAL '2 days' THEN 1
            WHEN e.effective_date > r.as_of - INTERVAL '8 days' THEN 2
            WHEN e.effective_date > r.as_of - INTERVAL '15 days' THEN 3
            WHEN e.effective_date > r.as_of - INTERVAL '31 days' THEN 4
            WHEN e.effective_date > r.as_of - INTERVAL '91 days' THEN 5
            WHEN e.effective_date > r.as_of - INTERVAL '181 days' THEN 6
            WHEN e.effective_date > r.as_of - INTERVAL '366 days' THEN 7
            ELSE 8
        END AS place
    FROM endpoints AS e
    CROSS JOIN reference AS r
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
