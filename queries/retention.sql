-- title: Retention
-- about: How long do endpoints stay live? Endpoints are put together by the month (UTC) in which they were created; one is
-- about: retained at an age of k months if it was last updated in the kth month after that month, or later. The share is of
-- about: all endpoints created in the month. Endpoints without a creation date are left out; those without an effective
-- about: date are retained at no age.
-- param: as_of timestamp = null  Leave out ages not reached by then; the newest effective date where it is not given
-- param: max_age integer = 240  Leave out ages of more months than this
-- chart: heatmap x=age_months y=cohort_month value=retained_share

-- Months are numbered through from the year 0, so that an age is a difference. Days are quicker to take apart than instants.
WITH dated AS (
    SELECT
        CAST(date_part('year', creation_day) * 12 + date_part('month', creation_day) - 1 AS BIGINT) AS cohort,
        CAST(date_part('year', effective_day) * 12 + date_part('month', effective_day) - 1 AS BIGINT) AS last_month
    FROM (
        SELECT CAST(creation_date AS DATE) AS creation_day, CAST(effective_date AS DATE) AS effective_day
        FROM endpoints
        WHERE creation_date IS NOT NULL
    )
),

pairs AS (
    SELECT cohort, last_month, count(*) AS endpoints FROM dated GROUP BY cohort, last_month
),

reference AS (
    SELECT
        CAST(date_part('year', as_of) * 12 + date_part('month', as_of) - 1 AS BIGINT) AS as_of
    FROM (SELECT coalesce($as_of, max(effective_date)) AS as_of FROM endpoints)
),

-- A row for each age that the month has reached, also where nothing is left. A range that ends before it begins is empty.
ages AS (
    SELECT
        p.cohort,
        p.last_month - p.cohort AS last_age,
        p.endpoints,
        unnest(range(0, least(r.as_of - p.cohort, $max_age) + 1)) AS age_months
    FROM pairs AS p
    CROSS JOIN reference AS r
),

retained AS (
    SELECT
        cohort,
        age_months,
        coalesce(sum(endpoints) FILTER (WHERE last_age >= age_months), 0) AS endpoints,
        sum(endpoints) AS cohort_endpoints
    FROM ages
    GROUP BY cohort, age_months
)

SELECT
    make_date(CAST(cohort / 12 AS INTEGER), CAST(cohort % 12 + 1 AS INTEGER), 1) AS cohort_month,
    age_months,
    endpoints,
    CAST(endpoints AS DOUBLE) / cohort_endpoints AS retained_share,
    cohort_endpoints
FROM retained
ORDER BY cohort_month, age_months
