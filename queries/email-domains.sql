-- title: E-mail domains
-- about: Which domains do the e-mail addresses belong to, and how many of each have opted out? Domains are compared in lower
-- about: case; endpoints of the channel EMAIL whose address has none come under no domain.
-- param: min_endpoints integer = 1  Leave out domains with fewer endpoints than this
-- chart: bar x=domain y=endpoints
-- check: opted_out_share <= 0.5 OR endpoints < 100 warn  More than half of a domain's 100 or more endpoints have opted out

WITH domains AS (
    SELECT
        CASE
            WHEN strpos(address, '@') > 0
                THEN nullif(lower(trim(BOTH E' \t\r\n' FROM split_part(address, '@', -1))), '')
        END AS domain,
        count(*) AS endpoints,
        count(*) FILTER (WHERE opt_out = 'ALL') AS opted_out
    FROM endpoints
    WHERE channel_type = 'EMAIL'
    GROUP BY 1
)

SELECT domain, endpoints, CAST(opted_out AS DOUBLE) / endpoints AS opted_out_share
FROM domains
WHERE endpoints >= $min_endpoints
ORDER BY endpoints DESC, domain NULLS LAST
