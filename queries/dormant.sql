-- title: Dormant endpoints
-- about: Which active endpoints have not been updated for a long time? The clean-up list, longest idle first. Idle are whole
-- about: days of 24 hours since the effective date; endpoints without one are left out.
-- param: days integer = 90  List endpoints idle for more than this many whole days
-- param: as_of timestamp = null  Count days back from here; the newest effective date where it is not given

WITH reference AS (
    SELECT CAST(coalesce($as_of, max(effective_date)) AS BIGINT) AS as_of FROM endpoints
),

-- Instants as numbers are microseconds; a division of whole numbers leaves whole days.
idle AS (
    SELECT
        e.id,
        e.channel_type,
        e.user_id,
        e.effective_date,
        (r.as_of - CAST(e.effective_date AS BIGINT)) / 86400000000 AS days_idle,
        e.piece,
        e.line
    FROM endpoints AS e
    CROSS JOIN reference AS r
    WHERE e.endpoint_status = 'ACTIVE'
)

SELECT id, channel_type, user_id, effective_date, days_idle
FROM idle
WHERE days_idle > $days
ORDER BY effective_date, id NULLS LAST, piece, line
