-- title: Balance of cohorts
-- about: Are Pinpoint's cohorts 0 to 99 of equal size, as hold-out tests need? `expected` is a hundredth of the endpoints
-- about: that have one of them, and `z_score` how many standard deviations the cohort is off it. Where ten or more are
-- about: expected, there is a z-score, and an empty cohort has a row. S3 exports mostly leave the cohort out: then all
-- about: endpoints are in one row without one.
-- chart: column x=cohort_id y=endpoints
-- check: abs(z_score) <= 5 warn  A cohort's size is not to be explained by chance

WITH cohorts AS (
    SELECT
        CAST(cohort_id AS VARCHAR) AS cohort_id,
        count(*) AS endpoints,
        count(*) FILTER (WHERE opt_out = 'ALL') AS opted_out
    FROM endpoints
    GROUP BY cohort_id
),

-- The hundred names are compared as text: '07' is none of them.
placed AS (
    SELECT
        coalesce(c.cohort_id, named.cohort_id) AS cohort_id,
        named.place,
        coalesce(c.endpoints, 0) AS endpoints,
        coalesce(c.opted_out, 0) AS opted_out,
        sum(c.endpoints) OVER () AS total,
        sum(c.endpoints) FILTER (WHERE named.place IS NOT NULL) OVER () AS in_cohorts
    FROM cohorts AS c
    FULL JOIN (SELECT value AS place, CAST(value AS VARCHAR) AS cohort_id FROM range(0, 100)) AS named
        ON named.cohort_id = c.cohort_id
),

compared AS (
    SELECT
        cohort_id,
        place,
        endpoints,
        CAST(endpoints AS DOUBLE) / total AS share,
        CAST(opted_out AS DOUBLE) / nullif(endpoints, 0) AS opt_out_share,
        CASE WHEN place IS NOT NULL THEN CAST(in_cohorts AS DOUBLE) / 100 END AS expected
    FROM placed
)

SELECT
    cohort_id,
    endpoints,
    share,
    opt_out_share,
    expected,
    -- The size of one of a hundred cohorts is binomial; with fewer it is too far from a normal distribution.
    CASE WHEN expected >= 10 THEN (endpoints - expected) / sqrt(expected * 0.99) END AS z_score
FROM compared
WHERE endpoints > 0 OR expected >= 10
ORDER BY place NULLS LAST, cohort_id NULLS LAST
