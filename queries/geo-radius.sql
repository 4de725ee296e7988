-- title: Endpoints near a point
-- about: How many endpoints lie within so many kilometres of a point, and how near is the nearest? Great-circle distance on
-- about: a sphere. Pinpoint keeps latitude and longitude to one decimal, so a distance is off by up to 8 km. Endpoints without
-- about: a position on Earth are left out.
-- param: latitude number  Degrees north of the equator, −90 to 90
-- param: longitude number  Degrees east of Greenwich, −180 to 180
-- param: km number = 50  Radius in kilometres, itself included
-- chart: bar x=channel_type y=endpoints

-- Positions are rounded, so there are far fewer of them than endpoints.
WITH positions AS (
    SELECT channel_type, latitude, longitude, count(*) AS endpoints
    FROM endpoints
    WHERE latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180
    GROUP BY channel_type, latitude, longitude
),

-- The haversine formula, which is exact for near points too; rounding must not lead the root over 1.
distances AS (
    SELECT
        channel_type,
        endpoints,
        2 * 6371.0088 * asin(least(1.0, sqrt(
            power(sin(radians(latitude - $latitude) / 2), 2)
            + cos(radians(latitude)) * cos(radians($latitude)) * power(sin(radians(longitude - $longitude) / 2), 2)
        ))) AS away_km
    FROM positions
    WHERE $latitude BETWEEN -90 AND 90 AND $longitude BETWEEN -180 AND 180
)

SELECT channel_type, sum(endpoints) AS endpoints, min(away_km) AS nearest_km
FROM distances
WHERE away_km <= $km
GROUP BY channel_type
ORDER BY endpoints DESC, channel_type NULLS LAST
