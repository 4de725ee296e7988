-- title: Locales
-- about: Which languages and regions do devices use, and how often does the region differ from the endpoint's country? Only
-- about: known countries are compared; regions that are no country, such as 419 for Latin America, agree with each.
-- param: min_endpoints integer = 1  Leave out locales with fewer endpoints than this
-- chart: bar x=language y=endpoints series=locale_region

-- There are few locales and countries, so only those are taken apart, not every endpoint's.
WITH spoken AS (
    SELECT trim(locale) AS locale, upper(trim(country)) AS country, count(*) AS endpoints
    FROM endpoints
    GROUP BY 1, 2
),

-- en_US, en-US, zh_Hant_TW, zh-yue-Hant-HK, es_419, en_US.UTF-8, en_US@calendar=japanese; odd ones have an alpha-3 region.
parts AS (
    SELECT
        lower(regexp_match(locale, '^[^-_.@]+')[1]) AS language,
        upper(regexp_match(
            locale,
            '^[^-_.@]*(?:[-_][A-Za-z]{3})?(?:[-_][A-Za-z]{4})?[-_]([A-Za-z]{2}|[0-9]{3})(?:[^A-Za-z0-9]|$)'
        )[1]) AS region,
        upper(regexp_match(locale, '^[^-_.@]*[-_]([A-Za-z]{3})(?:[^A-Za-z0-9]|$)')[1]) AS long_region,
        country,
        endpoints
    FROM spoken
),

regions AS (
    SELECT
        p.language,
        coalesce(p.region, r.alpha2) AS locale_region,
        c.alpha2 AS country,
        p.endpoints
    FROM parts AS p
    LEFT JOIN country_codes AS r ON r.code = p.long_region
    LEFT JOIN country_codes AS c ON c.code = p.country
),

locales AS (
    SELECT
        language,
        locale_region,
        sum(endpoints) AS endpoints,
        coalesce(sum(endpoints) FILTER (
            WHERE locale_region <> country AND character_length(locale_region) = 2
        ), 0) AS country_mismatch
    FROM regions
    GROUP BY language, locale_region
)

SELECT language, locale_region, endpoints, country_mismatch
FROM locales
WHERE endpoints >= $min_endpoints
ORDER BY endpoints DESC, language NULLS LAST, locale_region NULLS LAST
