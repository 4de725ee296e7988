-- title: Distribution of metrics
-- about: How is each metric spread? Quantiles are exact, between two values by straight line; `stddev` is that of a
-- about: sample, and null where one endpoint has the metric. `endpoints` counts those that have it.

-- One sort serves every quantile. Quantile p of n values lies at place p * (n - 1), counted from 0. How many there are is counted apart: a
-- window over a whole partition keeps all of it in memory.
WITH counted AS (
    SELECT name, count(*) - 1 AS last
    FROM metrics
    WHERE value IS NOT NULL
    GROUP BY name
),

placed AS (
    SELECT
        name,
        value,
        CAST(row_number() OVER (PARTITION BY name ORDER BY value) AS BIGINT) - 1 AS place
    FROM metrics
    WHERE value IS NOT NULL
),

described AS (
    SELECT
        name,
        count(*) AS endpoints,
        min(value) AS lowest,
        max(value) FILTER (WHERE place = last * 25 / 100) AS p25,
        max(value) FILTER (WHERE place = last * 50 / 100) AS p50,
        max(value) FILTER (WHERE place = last * 75 / 100) AS p75,
        max(value) FILTER (WHERE place = last * 95 / 100) AS p95,
        -- The next place up, or the same where a quantile falls on a place.
        max(value) FILTER (WHERE place = (last * 25 + 99) / 100) AS p25_next,
        max(value) FILTER (WHERE place = (last * 50 + 99) / 100) AS p50_next,
        max(value) FILTER (WHERE place = (last * 75 + 99) / 100) AS p75_next,
        max(value) FILTER (WHERE place = (last * 95 + 99) / 100) AS p95_next,
        CAST(last AS DOUBLE) AS last,
        max(value) AS highest,
        avg(value) AS mean,
        stddev_samp(value) AS stddev,
        count(*) FILTER (WHERE value = 0) AS zeros,
        count(*) FILTER (WHERE value < 0) AS negatives
    FROM placed
    INNER JOIN counted USING (name)
    GROUP BY name, last
)

SELECT
    name,
    endpoints,
    lowest AS min,
    CASE WHEN p25 = p25_next THEN p25 ELSE p25 * (1 - last * 25 % 100 / 100) + p25_next * (last * 25 % 100 / 100) END AS p25,
    CASE WHEN p50 = p50_next THEN p50 ELSE p50 * (1 - last * 50 % 100 / 100) + p50_next * (last * 50 % 100 / 100) END AS p50,
    CASE WHEN p75 = p75_next THEN p75 ELSE p75 * (1 - last * 75 % 100 / 100) + p75_next * (last * 75 % 100 / 100) END AS p75,
    CASE WHEN p95 = p95_next THEN p95 ELSE p95 * (1 - last * 95 % 100 / 100) + p95_next * (last * 95 % 100 / 100) END AS p95,
    highest AS max,
    -- Null where a sum is beyond a double.
    CASE WHEN abs(mean) < CAST('Infinity' AS DOUBLE) THEN mean END AS mean,
    CASE WHEN abs(stddev) < CAST('Infinity' AS DOUBLE) THEN stddev END AS stddev,
    zeros,
    negatives
FROM described
ORDER BY name
