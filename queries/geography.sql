-- title: Geography
-- about: Where is the audience? Countries are ISO 3166 alpha-2, whichever code the export held.
-- param: min_endpoints integer = 1  Leave out places with fewer endpoints than this
-- chart: bar x=city y=endpoints series=country

-- Grouped by user first: counting the groups is counting distinct users, spread over every core.
WITH people AS (
    SELECT
        coalesce(c.alpha2, e.country) AS country,
        e.region,
        e.city,
        e.user_id,
        count(*) AS endpoints
    FROM endpoints AS e
    LEFT JOIN country_codes AS c ON c.code = upper(trim(e.country))
    GROUP BY 1, 2, 3, 4
),

places AS (
    SELECT
        country,
        region,
        city,
        sum(endpoints) AS endpoints,
        count(user_id) AS users,
        CAST(sum(endpoints) AS DOUBLE) / sum(sum(endpoints)) OVER () AS share
    FROM people
    GROUP BY country, region, city
)

SELECT country, region, city, endpoints, users, share
FROM places
WHERE endpoints >= $min_endpoints
ORDER BY endpoints DESC, country NULLS LAST, region NULLS LAST, city NULLS LAST
