-- title: User conflicts
-- about: Which users' endpoints disagree on an attribute of the user? They do where two of them hold different sets of
-- about: values; order, repetition and nulls in a list do not count, and an absent attribute or an empty list is no
-- about: conflict. `values` are all that the endpoints hold, `endpoints` counts those that hold any, `variants` the
-- about: different sets.
-- check: variants = 1 warn  Some users' endpoints disagree on an attribute, so that a merge into one profile has to choose

-- One endpoint alone cannot disagree, and most users have but one.
WITH people AS (
    SELECT user_id FROM endpoints WHERE user_id IS NOT NULL GROUP BY user_id HAVING count(*) > 1
),

entries AS (
    SELECT
        e.user_id,
        unnest(map_keys(e.user_attributes)) AS name,
        unnest(map_values(e.user_attributes)) AS items
    FROM endpoints AS e
    INNER JOIN people ON people.user_id = e.user_id
),

sets AS (
    SELECT
        user_id,
        name,
        array_sort(array_distinct(array_compact(items))) AS members,
        count(*) AS endpoints
    FROM entries
    GROUP BY 1, 2, 3
),

conflicts AS (
    SELECT
        user_id,
        name,
        array_sort(array_distinct(flatten(array_agg(members)))) AS "values",
        sum(endpoints) AS endpoints,
        count(*) AS variants
    FROM sets
    WHERE cardinality(members) > 0
    GROUP BY user_id, name
    HAVING count(*) > 1
)

SELECT user_id, name, "values", endpoints, variants
FROM conflicts
ORDER BY user_id, name
