-- title: Difference of two snapshots
-- about: What changed from one snapshot to another, by endpoint id? Endpoints added and removed, and for each field in
-- about: how many endpoints it changed; an endpoint that changed in two fields counts under both. The order of a map's
-- about: entries is no change, that of an entry's values is. Where an id occurs more than once, the n-th is held against
-- about: the n-th.
-- param: from text  The older snapshot
-- param: to text    The newer snapshot
-- chart: bar x=field y=endpoints series=change
-- check: change <> 'no_such_snapshot' error  There is no such snapshot; `pinlake snapshots list` names those there are

-- Ids that a snapshot holds more than once; records without an id are taken as one id.
WITH repeated AS (
    SELECT snapshot, id
    FROM all_endpoints
    WHERE snapshot IN ($from, $to)
    GROUP BY snapshot, id
    HAVING count(*) > 1
),

repeats AS (
    SELECT
        e.snapshot,
        e.piece,
        e.line,
        row_number() OVER (PARTITION BY e.snapshot, e.id ORDER BY e.piece, e.line) AS place
    FROM all_endpoints AS e
    INNER JOIN repeated AS r
        ON (r.snapshot IS NOT DISTINCT FROM e.snapshot) AND (r.id IS NOT DISTINCT FROM e.id)
    WHERE e.snapshot IN ($from, $to)
),

older AS (
    SELECT e.*, coalesce(r.place, 1) AS place
    FROM all_endpoints AS e
    LEFT JOIN repeats AS r ON r.snapshot = e.snapshot AND r.piece = e.piece AND r.line = e.line
    WHERE e.snapshot = $from
),

newer AS (
    SELECT e.*, coalesce(r.place, 1) AS place
    FROM all_endpoints AS e
    LEFT JOIN repeats AS r ON r.snapshot = e.snapshot AND r.piece = e.piece AND r.line = e.line
    WHERE e.snapshot = $to
),

compared AS (
    SELECT
        a.line IS NULL AS added,
        b.line IS NULL AS removed,
        a.line IS NOT NULL AND b.line IS NOT NULL AS kept,
        (a.application_id IS DISTINCT FROM b.application_id) AS application_id,
        (a.channel_type IS DISTINCT FROM b.channel_type) AS channel_type,
        (a.endpoint_status IS DISTINCT FROM b.endpoint_status) AS endpoint_status,
        (a.opt_out IS DISTINCT FROM b.opt_out) AS opt_out,
        (a.cohort_id IS DISTINCT FROM b.cohort_id) AS cohort_id,
        (a.address IS DISTINCT FROM b.address) AS address,
        (a.request_id IS DISTINCT FROM b.request_id) AS request_id,
        (a.creation_date IS DISTINCT FROM b.creation_date) AS creation_date,
        (a.effective_date IS DISTINCT FROM b.effective_date) AS effective_date,
        (a.city IS DISTINCT FROM b.city) AS city,
        (a.region IS DISTINCT FROM b.region) AS region,
        (a.country IS DISTINCT FROM b.country) AS country,
        (a.postal_code IS DISTINCT FROM b.postal_code) AS postal_code,
        (a.latitude IS DISTINCT FROM b.latitude) AS latitude,
        (a.longitude IS DISTINCT FROM b.longitude) AS longitude,
        (a.app_version IS DISTINCT FROM b.app_version) AS app_version,
        (a.locale IS DISTINCT FROM b.locale) AS locale,
        (a.make IS DISTINCT FROM b.make) AS make,
        (a.model IS DISTINCT FROM b.model) AS model,
        (a.model_version IS DISTINCT FROM b.model_version) AS model_version,
        (a.platform IS DISTINCT FROM b.platform) AS platform,
        (a.platform_version IS DISTINCT FROM b.platform_version) AS platform_version,
        (a.timezone IS DISTINCT FROM b.timezone) AS timezone,
        (array_sort(map_entries(a.attributes)) IS DISTINCT FROM array_sort(map_entries(b.attributes))) AS attributes,
        (array_sort(map_entries(a.metrics)) IS DISTINCT FROM array_sort(map_entries(b.metrics))) AS metrics,
        (a.user_id IS DISTINCT FROM b.user_id) AS user_id,
        (array_sort(map_entries(a.user_attributes)) IS DISTINCT FROM array_sort(map_entries(b.user_attributes))) AS user_attributes,
        (a.extra IS DISTINCT FROM b.extra) AS extra
    FROM older AS a
    FULL JOIN newer AS b ON (b.id IS NOT DISTINCT FROM a.id) AND (b.place IS NOT DISTINCT FROM a.place)
),

-- One pass counts every field; its counts are then turned from columns into rows.
counted AS (
    SELECT
        make_array(
            named_struct('place', 1, 'change', 'added', 'field', '', 'endpoints', count(*) FILTER (WHERE added)),
            named_struct('place', 2, 'change', 'removed', 'field', '', 'endpoints', count(*) FILTER (WHERE removed)),
            named_struct('place', 3, 'change', 'changed', 'field', 'application_id', 'endpoints', count(*) FILTER (WHERE kept AND application_id)),
            named_struct('place', 4, 'change', 'changed', 'field', 'channel_type', 'endpoints', count(*) FILTER (WHERE kept AND channel_type)),
            named_struct('place', 5, 'change', 'changed', 'field', 'endpoint_status', 'endpoints', count(*) FILTER (WHERE kept AND endpoint_status)),
            named_struct('place', 6, 'change', 'changed', 'field', 'opt_out', 'endpoints', count(*) FILTER (WHERE kept AND opt_out)),
            named_struct('place', 7, 'change', 'changed', 'field', 'cohort_id', 'endpoints', count(*) FILTER (WHERE kept AND cohort_id)),
            named_struct('place', 8, 'change', 'changed', 'field', 'address', 'endpoints', count(*) FILTER (WHERE kept AND address)),
            named_struct('place', 9, 'change', 'changed', 'field', 'request_id', 'endpoints', count(*) FILTER (WHERE kept AND request_id)),
            named_struct('place', 10, 'change', 'changed', 'field', 'creation_date', 'endpoints', count(*) FILTER (WHERE kept AND creation_date)),
            named_struct('place', 11, 'change', 'changed', 'field', 'effective_date', 'endpoints', count(*) FILTER (WHERE kept AND effective_date)),
            named_struct('place', 12, 'change', 'changed', 'field', 'city', 'endpoints', count(*) FILTER (WHERE kept AND city)),
            named_struct('place', 13, 'change', 'changed', 'field', 'region', 'endpoints', count(*) FILTER (WHERE kept AND region)),
            named_struct('place', 14, 'change', 'changed', 'field', 'country', 'endpoints', count(*) FILTER (WHERE kept AND country)),
            named_struct('place', 15, 'change', 'changed', 'field', 'postal_code', 'endpoints', count(*) FILTER (WHERE kept AND postal_code)),
            named_struct('place', 16, 'change', 'changed', 'field', 'latitude', 'endpoints', count(*) FILTER (WHERE kept AND latitude)),
            named_struct('place', 17, 'change', 'changed', 'field', 'longitude', 'endpoints', count(*) FILTER (WHERE kept AND longitude)),
            named_struct('place', 18, 'change', 'changed', 'field', 'app_version', 'endpoints', count(*) FILTER (WHERE kept AND app_version)),
            named_struct('place', 19, 'change', 'changed', 'field', 'locale', 'endpoints', count(*) FILTER (WHERE kept AND locale)),
            named_struct('place', 20, 'change', 'changed', 'field', 'make', 'endpoints', count(*) FILTER (WHERE kept AND make)),
            named_struct('place', 21, 'change', 'changed', 'field', 'model', 'endpoints', count(*) FILTER (WHERE kept AND model)),
            named_struct('place', 22, 'change', 'changed', 'field', 'model_version', 'endpoints', count(*) FILTER (WHERE kept AND model_version)),
            named_struct('place', 23, 'change', 'changed', 'field', 'platform', 'endpoints', count(*) FILTER (WHERE kept AND platform)),
            named_struct('place', 24, 'change', 'changed', 'field', 'platform_version', 'endpoints', count(*) FILTER (WHERE kept AND platform_version)),
            named_struct('place', 25, 'change', 'changed', 'field', 'timezone', 'endpoints', count(*) FILTER (WHERE kept AND timezone)),
            named_struct('place', 26, 'change', 'changed', 'field', 'attributes', 'endpoints', count(*) FILTER (WHERE kept AND attributes)),
            named_struct('place', 27, 'change', 'changed', 'field', 'metrics', 'endpoints', count(*) FILTER (WHERE kept AND metrics)),
            named_struct('place', 28, 'change', 'changed', 'field', 'user_id', 'endpoints', count(*) FILTER (WHERE kept AND user_id)),
            named_struct('place', 29, 'change', 'changed', 'field', 'user_attributes', 'endpoints', count(*) FILTER (WHERE kept AND user_attributes)),
            named_struct('place', 30, 'change', 'changed', 'field', 'extra', 'endpoints', count(*) FILTER (WHERE kept AND extra))
        ) AS changes
    FROM compared
),

unfolded AS (
    SELECT unnest(changes) AS entry FROM counted
),

unknown AS (
    SELECT asked.snapshot
    FROM (SELECT $from AS snapshot UNION SELECT $to AS snapshot) AS asked
    LEFT ANTI JOIN snapshots AS s ON s.snapshot = asked.snapshot
),

changes AS (
    SELECT entry['place'] AS place, entry['change'] AS change, nullif(entry['field'], '') AS field, entry['endpoints'] AS endpoints
    FROM unfolded
    WHERE entry['endpoints'] > 0
    UNION ALL
    SELECT 0 AS place, 'no_such_snapshot' AS change, snapshot AS field, 0 AS endpoints FROM unknown
),

-- Against a snapshot that is not there everything would be added or removed: then that alone is said.
placed AS (
    SELECT change, field, endpoints, place, min(place) OVER () AS first_place FROM changes
)

SELECT change, field, endpoints
FROM placed
WHERE place = 0 OR first_place > 0
ORDER BY place, field
