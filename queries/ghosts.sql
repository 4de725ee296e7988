-- title: Ghosts
-- about: Which endpoints can never be reached and only inflate the counts? Those without an address, those with neither
-- about: date, and those that are inactive, opted out and no user's. `reasons` says which of the three hold.
-- check: cardinality(reasons) = 0 warn  Some endpoints are ghosts: leave them out of audience figures and of a move

WITH described AS (
    SELECT
        id,
        channel_type,
        endpoint_status,
        opt_out,
        array_compact(make_array(
            CASE WHEN address IS NULL OR address = '' THEN 'no_address' END,
            CASE WHEN creation_date IS NULL AND effective_date IS NULL THEN 'no_dates' END,
            CASE
                WHEN endpoint_status = 'INACTIVE' AND opt_out = 'ALL' AND user_id IS NULL THEN 'inactive_opted_out'
            END
        )) AS reasons,
        piece,
        line
    FROM endpoints
    WHERE
        address IS NULL
        OR address = ''
        OR (creation_date IS NULL AND effective_date IS NULL)
        OR (endpoint_status = 'INACTIVE' AND opt_out = 'ALL' AND user_id IS NULL)
)

SELECT id, channel_type, endpoint_status, opt_out, reasons, piece, line
FROM described
ORDER BY id NULLS LAST, piece, line
