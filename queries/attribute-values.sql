-- title: Values of one attribute
-- about: Which values does an attribute have, and how many endpoints hold each? An endpoint with several values counts
-- about: under each of them, once even where it holds one twice; an endpoint without the attribute has no row, but is in
-- about: the whole: `share` is of all endpoints, `by_share` of all endpoints with the same `by_value`.
-- param: name text  The attribute, spelt as in the export; upper and lower case differ
-- param: source text = any {any, attributes, user_attributes}  Look among the attributes of endpoints, of users, or both
-- param: by text = none {none, application_id, channel_type, endpoint_status, opt_out, cohort_id, country, region, city, app_version, locale, make, model, model_version, platform, platform_version, timezone}  Split every value by this column
-- param: min_endpoints integer = 1  Leave out rows with fewer endpoints than this
-- chart: bar x=value y=endpoints series=by_value

-- The parameters are literals by the time this is planned: one branch is left, and of the columns only that one is read.
WITH holders AS (
    SELECT
        CASE
            WHEN $by = 'application_id' THEN CAST(application_id AS VARCHAR)
            WHEN $by = 'channel_type' THEN CAST(channel_type AS VARCHAR)
            WHEN $by = 'endpoint_status' THEN CAST(endpoint_status AS VARCHAR)
            WHEN $by = 'opt_out' THEN CAST(opt_out AS VARCHAR)
            WHEN $by = 'cohort_id' THEN CAST(cohort_id AS VARCHAR)
            WHEN $by = 'country' THEN country
            WHEN $by = 'region' THEN region
            WHEN $by = 'city' THEN city
            WHEN $by = 'app_version' THEN app_version
            WHEN $by = 'locale' THEN locale
            WHEN $by = 'make' THEN make
            WHEN $by = 'model' THEN model
            WHEN $by = 'model_version' THEN model_version
            WHEN $by = 'platform' THEN platform
            WHEN $by = 'platform_version' THEN platform_version
            WHEN $by = 'timezone' THEN timezone
        END AS by_value,
        -- No list where the attribute is absent.
        CASE WHEN $source <> 'user_attributes' THEN map_extract(attributes, $name)[1] END AS items,
        CASE WHEN $source <> 'attributes' THEN map_extract(user_attributes, $name)[1] END AS user_items
    FROM endpoints
),

-- Many endpoints say the same, so each list of values is taken apart once.
lists AS (
    SELECT by_value, items, user_items, count(*) AS endpoints
    FROM holders
    GROUP BY by_value, items, user_items
),

distinct_lists AS (
    SELECT
        CASE WHEN $by = 'country' THEN coalesce(c.alpha2, l.by_value) ELSE l.by_value END AS by_value,
        array_distinct(array_concat(coalesce(l.items, make_array()), coalesce(l.user_items, make_array()))) AS items,
        l.endpoints
    FROM lists AS l
    LEFT JOIN country_codes AS c ON $by = 'country' AND c.code = upper(trim(l.by_value))
),

-- A row for each value. An endpoint without values keeps one row, for the whole; that is no value of its own.
contents AS (
    SELECT
        by_value,
        endpoints,
        CAST(cardinality(items) AS BIGINT) AS size,
        unnest(range(0, greatest(CAST(cardinality(items) AS BIGINT), 1))) AS place,
        unnest(items) AS value
    FROM distinct_lists
),

counted AS (
    SELECT
        by_value,
        value,
        sum(endpoints) FILTER (WHERE place < size) AS endpoints,
        sum(endpoints) FILTER (WHERE place = 0) AS firsts
    FROM contents
    GROUP BY by_value, value
),

shares AS (
    SELECT
        value,
        endpoints,
        CAST(endpoints AS DOUBLE) / sum(firsts) OVER () AS share,
        by_value,
        CAST(endpoints AS DOUBLE) / sum(firsts) OVER (PARTITION BY by_value) AS by_share
    FROM counted
)

SELECT value, endpoints, share, by_value, by_share
FROM shares
WHERE endpoints >= $min_endpoints
ORDER BY endpoints DESC, value NULLS LAST, by_value NULLS LAST
