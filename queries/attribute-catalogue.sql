-- title: Attribute catalogue
-- about: Which attributes are there, how well are they filled, and which break Pinpoint's limits (names of 50
-- about: characters, values of 100, 50 values each) or differ from another only in case?
-- check: cardinality(problems) = 0 warn  Some attributes break a limit, or have a name that differs from another only in case

WITH entries AS (
    SELECT unnest(map_keys(attributes)) AS name, unnest(map_values(attributes)) AS items FROM endpoints
),

user_entries AS (
    SELECT unnest(map_keys(user_attributes)) AS name, unnest(map_values(user_attributes)) AS items FROM endpoints
),

-- Many endpoints say the same, so each list of values is taken apart once.
lists AS (
    SELECT 'attributes' AS source, name, items, count(*) AS endpoints FROM entries GROUP BY name, items
    UNION ALL
    SELECT 'user_attributes' AS source, name, items, count(*) AS endpoints FROM user_entries GROUP BY name, items
),

-- A row for each value; an entry without values keeps one, for lists of unequal length are filled up with nulls.
contents AS (
    SELECT
        source,
        name,
        endpoints,
        CAST(cardinality(items) AS BIGINT) AS size,
        unnest(range(0, greatest(CAST(cardinality(items) AS BIGINT), 1))) AS place,
        unnest(items) AS value
    FROM lists
),

distinct_contents AS (
    SELECT source, name, value, max(size) AS size, sum(endpoints) FILTER (WHERE place = 0) AS endpoints
    FROM contents
    GROUP BY source, name, value
),

described AS (
    SELECT
        source,
        name,
        sum(endpoints) AS endpoints,
        count(value) AS distinct_values,
        coalesce(max(size), 0) AS max_values,
        CAST(coalesce(max(character_length(value)), 0) AS BIGINT) AS max_length,
        count(*) OVER (PARTITION BY source, lower(name)) AS spellings
    FROM distinct_contents
    GROUP BY source, name
),

total AS (
    SELECT count(*) AS endpoints FROM endpoints
)

SELECT
    described.source,
    described.name,
    described.endpoints,
    CAST(described.endpoints AS DOUBLE) / total.endpoints AS fill_share,
    described.distinct_values,
    described.max_values,
    described.max_length,
    array_compact(make_array(
        CASE WHEN character_length(described.name) > 50 THEN 'name_over_50' END,
        CASE WHEN described.max_length > 100 THEN 'value_over_100' END,
        CASE WHEN described.max_values > 50 THEN 'over_50_values' END,
        CASE WHEN described.spellings > 1 THEN 'case_variant' END
    )) AS problems
FROM described
CROSS JOIN total
ORDER BY described.source, described.endpoints DESC, described.name
