-- title: Time zones
-- about: Where do clocks of the audience go? A name that is not in the tz database, spelt exactly so, is not valid: Pinpoint
-- about: leaves its endpoints out of campaigns in local time without a word.
-- chart: bar x=timezone y=endpoints
-- check: valid warn  Some time zones are not in the tz database; their endpoints cannot be targeted in local time

WITH zones AS (
    SELECT timezone, count(*) AS endpoints FROM endpoints GROUP BY timezone
)

SELECT
    z.timezone,
    z.endpoints,
    CASE WHEN z.timezone IS NOT NULL THEN t.name IS NOT NULL END AS valid
FROM zones AS z
LEFT JOIN timezones AS t ON t.name = z.timezone
ORDER BY z.endpoints DESC, z.timezone NULLS LAST
