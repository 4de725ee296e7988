-- title: Platforms
-- about: Which platforms and versions of their operating systems does the audience use?
-- param: min_endpoints integer = 1  Leave out versions with fewer endpoints than this
-- chart: bar x=platform_version y=endpoints series=platform

WITH versions AS (
    SELECT
        platform,
        platform_version,
        count(*) AS endpoints,
        CAST(count(*) AS DOUBLE) / sum(count(*)) OVER () AS share
    FROM endpoints
    GROUP BY platform, platform_version
)

SELECT platform, platform_version, endpoints, share
FROM versions
WHERE endpoints >= $min_endpoints
ORDER BY endpoints DESC, platform NULLS LAST, platform_version NULLS LAST
