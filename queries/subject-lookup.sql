-- title: Subject look-up
-- about: What is held on a person, in every snapshot? All endpoints of a user or with an address, where both are given
-- about: those of either; where neither is given, nothing. `user_id` is compared as it stands; addresses without white
-- about: space around them and, of e-mail, in lower case. Piece and line say where each came from, for an erasure at the
-- about: source.
-- param: user_id text = null  The user's id
-- param: address text = null  An e-mail address, a phone number or a push token

SELECT
    e.snapshot,
    e.id,
    e.channel_type,
    e.address,
    e.user_id,
    e.piece,
    e.line,
    e.application_id,
    e.endpoint_status,
    e.opt_out,
    e.cohort_id,
    e.request_id,
    e.creation_date,
    e.effective_date,
    e.city,
    e.region,
    coalesce(c.alpha2, e.country) AS country,
    e.postal_code,
    e.latitude,
    e.longitude,
    e.app_version,
    e.locale,
    e.make,
    e.model,
    e.model_version,
    e.platform,
    e.platform_version,
    e.timezone,
    e.attributes,
    e.metrics,
    e.user_attributes,
    e.extra
FROM all_endpoints AS e
LEFT JOIN country_codes AS c ON c.code = upper(trim(e.country))
WHERE
    e.user_id = $user_id
    -- An empty address is none that could be asked for.
    OR btrim(e.address, E' \t\r\n')
        = nullif(btrim($address, E' \t\r\n'), '')
    OR (
        e.channel_type = 'EMAIL'
        AND lower(btrim(e.address, E' \t\r\n'))
            = nullif(lower(btrim($address, E' \t\r\n')), '')
    )
ORDER BY e.snapshot, e.piece, e.line
