-- title: Channel mix
-- about: Which channels is the audience on, and in which state are their endpoints?
-- chart: bar x=channel_type y=endpoints series=endpoint_status stacked=true

SELECT
    channel_type,
    endpoint_status,
    opt_out,
    count(*) AS endpoints,
    CAST(count(*) AS DOUBLE) / sum(count(*)) OVER () AS share
FROM endpoints
GROUP BY channel_type, endpoint_status, opt_out
ORDER BY
    endpoints DESC,
    channel_type NULLS LAST,
    endpoint_status NULLS LAST,
    opt_out NULLS LAST
