-- title: Phone countries
-- about: Which countries do the phone numbers (SMS and VOICE) belong to, by their first digits? calling_code is the one that
-- about: the ITU assigned; countries that share one, such as +1 or +44, are told apart by the digits behind it. Numbers
-- about: without a + say no country and come under no calling code.
-- param: min_endpoints integer = 1  Leave out countries with fewer endpoints than this
-- chart: bar x=country y=endpoints

-- No prefix is longer than seven digits. Spaces, brackets and the like within a number do not matter.
WITH heads AS (
    SELECT
        CASE
            WHEN starts_with(trim(BOTH E' \t\r\n' FROM address), '+')
                THEN left(translate(trim(BOTH E' \t\r\n' FROM address), E'+ ()-./\u00a0', ''), 7)
        END AS head,
        count(*) AS endpoints
    FROM endpoints
    WHERE channel_type IN ('SMS', 'VOICE')
    GROUP BY 1
),

lengths AS (
    SELECT DISTINCT character_length(prefix) AS digits FROM calling_codes
),

-- No calling code begins another, so the shortest prefix that matches is the calling code; the longest tells the country.
-- Of texts that begin each other the shortest is the least.
prefixes AS (
    SELECT
        h.head,
        max(h.endpoints) AS endpoints,
        min(c.prefix) AS calling_code,
        max(c.prefix) AS prefix
    FROM heads AS h
    CROSS JOIN lengths AS l
    LEFT JOIN calling_codes AS c ON c.prefix = left(h.head, l.digits)
    GROUP BY h.head
),

-- Prefixes are few by now. Codes of no country, such as those of satellite phones, have an empty one.
countries_called AS (
    SELECT p.calling_code, nullif(c.country, '') AS country, sum(p.endpoints) AS endpoints
    FROM (SELECT calling_code, prefix, sum(endpoints) AS endpoints FROM prefixes GROUP BY 1, 2) AS p
    LEFT JOIN calling_codes AS c ON c.prefix = p.prefix
    GROUP BY 1, 2
)

SELECT calling_code, country, endpoints
FROM countries_called
WHERE endpoints >= $min_endpoints
ORDER BY endpoints DESC, calling_code NULLS LAST, country NULLS LAST
