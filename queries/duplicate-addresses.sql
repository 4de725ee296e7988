-- title: Duplicate addresses
-- about: Which addresses do several endpoints of one channel share? Addresses are compared without the white space around
-- about: them, e-mail addresses in lower case; endpoints are several if their ids differ.
-- check: active_endpoints <= 1 warn  Some addresses have more than one active endpoint and may get a message more than once

WITH cleaned AS (
    SELECT
        channel_type,
        CASE
            WHEN channel_type = 'EMAIL' THEN lower(trim(BOTH E' \t\r\n' FROM address))
            ELSE trim(BOTH E' \t\r\n' FROM address)
        END AS address,
        id,
        user_id,
        endpoint_status
    FROM endpoints
    WHERE address <> ''
),

-- Most addresses are not shared, and are out of the way before anything else is counted. More than one id: the first of
-- them is not the last.
shared AS (
    SELECT channel_type, address
    FROM cleaned
    WHERE address <> ''
    GROUP BY channel_type, address
    HAVING min(id) < max(id)
),

-- Grouped by user first: counting the groups is counting distinct users.
people AS (
    SELECT
        c.channel_type,
        c.address,
        c.user_id,
        count(*) AS endpoints,
        count(*) FILTER (WHERE c.endpoint_status = 'ACTIVE') AS active_endpoints
    FROM cleaned AS c
    INNER JOIN shared AS s ON s.address = c.address AND s.channel_type IS NOT DISTINCT FROM c.channel_type
    GROUP BY c.channel_type, c.address, c.user_id
)

SELECT
    channel_type,
    address,
    sum(endpoints) AS endpoints,
    sum(active_endpoints) AS active_endpoints,
    count(user_id) AS users
FROM people
GROUP BY channel_type, address
ORDER BY endpoints DESC, channel_type NULLS LAST, address
