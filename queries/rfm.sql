-- title: Recency, frequency, value
-- about: Which users are recent, frequent and valuable? Each has the newest effective date of all his or her endpoints
-- about: and the sums of two metrics over them, 0 where there is none. The three are scored 1 to 5 by quintiles of users,
-- about: 5 the best; equals score alike, as the lowest of them, and no date scores as the oldest. A segment is the three
-- about: scores in this order; its other figures are means.
-- param: frequency text = null   The metric for frequency; the most filled one where it is not given
-- param: value text = null       The metric for value; the next most filled one where it is not given
-- param: as_of timestamp = null  Count days back from here; the newest effective date where it is not given
-- chart: bar x=segment y=users

WITH filled AS (
    SELECT name, count(*) AS endpoints FROM metrics WHERE value IS NOT NULL GROUP BY name
),

-- One row, for an aggregate of nothing is null. A metric that is given for one role is not the default of the other.
first_chosen AS (
    SELECT coalesce($frequency, first_value(name ORDER BY endpoints DESC, name)) AS frequency
    FROM filled
    WHERE $value IS NULL OR name <> $value
),

chosen AS (
    SELECT
        max(c.frequency) AS frequency,
        coalesce($value, first_value(f.name ORDER BY f.endpoints DESC, f.name)) AS value
    FROM first_chosen AS c
    LEFT JOIN filled AS f ON f.name <> c.frequency
),

people AS (
    SELECT
        e.user_id,
        max(e.effective_date) AS newest,
        -- Rounded, for the last digits of a sum hang on the order in which it is made, and equals shall be equal.
        round(coalesce(sum(map_extract(e.metrics, c.frequency)[1]), 0), 6) AS frequency,
        round(coalesce(sum(map_extract(e.metrics, c.value)[1]), 0), 6) AS value
    FROM endpoints AS e
    CROSS JOIN chosen AS c
    WHERE e.user_id IS NOT NULL
    GROUP BY e.user_id
),

-- Of how many users each is ahead.
ranked AS (
    SELECT
        newest,
        frequency,
        value,
        CAST(rank() OVER (ORDER BY newest NULLS FIRST) AS BIGINT) - 1 AS older,
        CAST(rank() OVER (ORDER BY frequency) AS BIGINT) - 1 AS less_frequent,
        CAST(rank() OVER (ORDER BY value) AS BIGINT) - 1 AS less_valuable,
        count(*) OVER () AS users
    FROM people
),

reference AS (
    SELECT coalesce($as_of, max(effective_date)) AS as_of FROM endpoints
),

scored AS (
    SELECT
        concat(1 + 5 * r.older / r.users, 1 + 5 * r.less_frequent / r.users, 1 + 5 * r.less_valuable / r.users) AS segment,
        CAST(CAST(reference.as_of AS BIGINT) - CAST(r.newest AS BIGINT) AS DOUBLE) / 86400000000 AS days,
        r.frequency,
        r.value
    FROM ranked AS r
    CROSS JOIN reference
)

SELECT
    segment,
    count(*) AS users,
    round(avg(days), 6) AS recency_days,
    round(avg(frequency), 6) AS frequency,
    round(avg(value), 6) AS value
FROM scored
GROUP BY segment
ORDER BY segment DESC
