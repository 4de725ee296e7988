-- title: Devices
-- about: Which makes and models does the audience use? Names are as they came: Apple and apple are two makes.
-- param: min_endpoints integer = 1  Leave out models with fewer endpoints than this
-- chart: bar x=model y=endpoints series=make

WITH models AS (
    SELECT
        make,
        model,
        model_version,
        count(*) AS endpoints,
        CAST(count(*) AS DOUBLE) / sum(count(*)) OVER () AS share
    FROM endpoints
    GROUP BY make, model, model_version
)

SELECT make, model, model_version, endpoints, share
FROM models
WHERE endpoints >= $min_endpoints
ORDER BY endpoints DESC, make NULLS LAST, model NULLS LAST, model_version NULLS LAST
