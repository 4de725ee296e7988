-- title: Address quality
-- about: Which addresses cannot be right? missing: there is none (in-app endpoints need none). no_at: an e-mail address
-- about: without an @. bad_domain: one whose domain is no host name with a dot. not_e164: a phone number other than + and up
-- about: to 15 digits, the first no 0. odd_token_length: a push token of a length that its service does not give out: APNS 64;
-- about: GCM 100 to 4,096; PUSH 64 to 4,096; ADM 100 to 1,536; BAIDU 15 to 20 characters. An endpoint counts under the
-- about: first that holds; the share is of all endpoints, channel_share of those of the channel.
-- chart: bar x=problem y=endpoints series=channel_type stacked=true
-- check: channel_share <= 0.05 OR channel_type = 'IN_APP' warn  More than 5 % of a channel's endpoints have a problem with their address

WITH judged AS (
    SELECT
        channel_type,
        CASE
            WHEN coalesce(address, '') = '' THEN 'missing'
            WHEN channel_type = 'EMAIL' THEN
                CASE
                    WHEN strpos(address, '@') = 0 THEN 'no_at'
                    -- Labels of letters and digits of any script, hyphens inside only; the last label is no number.
                    WHEN NOT regexp_like(
                        address,
                        '@[\p{L}\p{M}\p{N}]+(?:-+[\p{L}\p{M}\p{N}]+)*(?:\.[\p{L}\p{M}\p{N}]+(?:-+[\p{L}\p{M}\p{N}]+)*)+$'
                    ) OR regexp_like(address, '\.[0-9]+$') THEN 'bad_domain'
                END
            WHEN channel_type IN ('SMS', 'VOICE') THEN
                CASE WHEN NOT regexp_like(address, '^\+[1-9][0-9]{1,14}$') THEN 'not_e164' END
            WHEN channel_type IN ('APNS', 'APNS_SANDBOX', 'APNS_VOIP', 'APNS_VOIP_SANDBOX') THEN
                CASE WHEN character_length(address) <> 64 THEN 'odd_token_length' END
            WHEN channel_type = 'GCM' THEN
                CASE WHEN character_length(address) NOT BETWEEN 100 AND 4096 THEN 'odd_token_length' END
            WHEN channel_type = 'PUSH' THEN
                CASE WHEN character_length(address) NOT BETWEEN 64 AND 4096 THEN 'odd_token_length' END
            WHEN channel_type = 'ADM' THEN
                CASE WHEN character_length(address) NOT BETWEEN 100 AND 1536 THEN 'odd_token_length' END
            WHEN channel_type = 'BAIDU' THEN
                CASE WHEN character_length(address) NOT BETWEEN 15 AND 20 THEN 'odd_token_length' END
        END AS problem
    FROM endpoints
),

counted AS (
    SELECT channel_type, problem, count(*) AS endpoints FROM judged GROUP BY channel_type, problem
),

shares AS (
    SELECT
        channel_type,
        problem,
        endpoints,
        CAST(endpoints AS DOUBLE) / sum(endpoints) OVER () AS share,
        CAST(endpoints AS DOUBLE) / sum(endpoints) OVER (PARTITION BY channel_type) AS channel_share
    FROM counted
)

SELECT channel_type, problem, endpoints, share, channel_share
FROM shares
WHERE problem IS NOT NULL
ORDER BY endpoints DESC, channel_type NULLS LAST, problem
