-- title: Readiness for a move to Customer Profiles
-- about: What would a move to Amazon Connect Customer Profiles meet? A profile is made of a user's endpoints; it holds 3
-- about: e-mail addresses, 4 phone numbers (SMS and voice) and values of at most 255 characters, but no state, no refusal
-- about: and no push token. `users` are those with such a problem and `endpoints` theirs that have it, those of nobody
-- about: included; different addresses count once. `example_id` is the first such id in alphabetical order. The values
-- about: are those of attributes and of text columns.
-- chart: bar x=problem y=endpoints
-- check: endpoints = 0 warn  Some endpoints would be lost, refused or changed in meaning by a move

WITH problems (place, problem) AS (
    VALUES
        (1, 'no_user_id'), (2, 'over_3_emails'), (3, 'over_4_phones'), (4, 'value_over_255'),
        (5, 'opted_out'), (6, 'inactive'), (7, 'push_or_custom_channel'), (8, 'no_address')
),

-- E-mail addresses that differ only in case or in white space around them are one.
emails AS (
    SELECT user_id, lower(trim(address)) AS address
    FROM endpoints
    WHERE channel_type = 'EMAIL' AND address <> '' AND user_id IS NOT NULL
    GROUP BY 1, 2
),

phones AS (
    SELECT user_id, trim(address) AS address
    FROM endpoints
    WHERE channel_type IN ('SMS', 'VOICE') AND address <> '' AND user_id IS NOT NULL
    GROUP BY 1, 2
),

-- All the values of an endpoint as one text: only where that is long is there a long value to look for.
wordy AS (
    SELECT user_id, id, piece, line, attributes, user_attributes
    FROM endpoints
    WHERE
        octet_length(CAST(map_values(attributes) AS VARCHAR)) > 255
        OR octet_length(CAST(map_values(user_attributes) AS VARCHAR)) > 255
),

attribute_values AS (
    SELECT user_id, id, piece, line, unnest(flatten(map_values(attributes))) AS value FROM wordy
    UNION ALL
    SELECT user_id, id, piece, line, unnest(flatten(map_values(user_attributes))) AS value FROM wordy
),

long_values AS (
    SELECT user_id, id, piece, line FROM attribute_values WHERE character_length(value) > 255
    UNION
    SELECT user_id, id, piece, line
    FROM endpoints
    WHERE
        character_length(user_id) > 255
        OR character_length(address) > 255
        OR character_length(city) > 255
        OR character_length(region) > 255
        OR character_length(country) > 255
        OR character_length(postal_code) > 255
        OR character_length(app_version) > 255
        OR character_length(locale) > 255
        OR character_length(make) > 255
        OR character_length(model) > 255
        OR character_length(model_version) > 255
        OR character_length(platform) > 255
        OR character_length(platform_version) > 255
        OR character_length(timezone) > 255
),

-- What an endpoint tells by itself, in one reading of them.
flagged AS (
    SELECT
        user_id,
        id,
        unnest(
            make_array(
                CASE WHEN user_id IS NULL THEN 'no_user_id' END,
                CASE WHEN opt_out = 'ALL' THEN 'opted_out' END,
                CASE WHEN endpoint_status = 'INACTIVE' THEN 'inactive' END,
                CASE WHEN channel_type NOT IN ('EMAIL', 'SMS', 'VOICE') THEN 'push_or_custom_channel' END,
                CASE WHEN address IS NULL OR address = '' THEN 'no_address' END
            )
        ) AS problem
    FROM endpoints
),

found AS (
    SELECT problem, user_id, id FROM flagged WHERE problem IS NOT NULL
    UNION ALL
    SELECT 'over_3_emails' AS problem, e.user_id, e.id
    FROM endpoints AS e
    LEFT SEMI JOIN (SELECT user_id FROM emails GROUP BY user_id HAVING count(*) > 3) AS many ON many.user_id = e.user_id
    WHERE e.channel_type = 'EMAIL' AND e.address <> ''
    UNION ALL
    SELECT 'over_4_phones' AS problem, e.user_id, e.id
    FROM endpoints AS e
    LEFT SEMI JOIN (SELECT user_id FROM phones GROUP BY user_id HAVING count(*) > 4) AS many ON many.user_id = e.user_id
    WHERE e.channel_type IN ('SMS', 'VOICE') AND e.address <> ''
    UNION ALL
    SELECT 'value_over_255' AS problem, user_id, id FROM long_values
),

people AS (
    SELECT problem, user_id, count(*) AS endpoints, min(id) AS example_id FROM found GROUP BY problem, user_id
),

counted AS (
    SELECT problem, count(user_id) AS users, sum(endpoints) AS endpoints, min(example_id) AS example_id
    FROM people
    GROUP BY problem
)

SELECT
    p.problem,
    coalesce(c.users, 0) AS users,
    coalesce(c.endpoints, 0) AS endpoints,
    c.example_id
FROM problems AS p
LEFT JOIN counted AS c ON c.problem = p.problem
ORDER BY p.place
