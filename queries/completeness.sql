-- title: Completeness
-- about: Which columns are filled? Share of endpoints of each channel that have no value in a column.
-- chart: heatmap x=channel_type y=column value=null_share

-- One pass over the table counts every column; its counts are then turned from columns into rows.
WITH counted AS (
    SELECT
        channel_type,
        count(*) AS endpoints,
        make_array(
            named_struct('place', 1, 'name', 'id', 'filled', count(id)),
            named_struct('place', 2, 'name', 'application_id', 'filled', count(application_id)),
            named_struct('place', 3, 'name', 'channel_type', 'filled', count(channel_type)),
            named_struct('place', 4, 'name', 'endpoint_status', 'filled', count(endpoint_status)),
            named_struct('place', 5, 'name', 'opt_out', 'filled', count(opt_out)),
            named_struct('place', 6, 'name', 'cohort_id', 'filled', count(cohort_id)),
            named_struct('place', 7, 'name', 'address', 'filled', count(address)),
            named_struct('place', 8, 'name', 'request_id', 'filled', count(request_id)),
            named_struct('place', 9, 'name', 'creation_date', 'filled', count(creation_date)),
            named_struct('place', 10, 'name', 'effective_date', 'filled', count(effective_date)),
            named_struct('place', 11, 'name', 'city', 'filled', count(city)),
            named_struct('place', 12, 'name', 'region', 'filled', count(region)),
            named_struct('place', 13, 'name', 'country', 'filled', count(country)),
            named_struct('place', 14, 'name', 'postal_code', 'filled', count(postal_code)),
            named_struct('place', 15, 'name', 'latitude', 'filled', count(latitude)),
            named_struct('place', 16, 'name', 'longitude', 'filled', count(longitude)),
            named_struct('place', 17, 'name', 'app_version', 'filled', count(app_version)),
            named_struct('place', 18, 'name', 'locale', 'filled', count(locale)),
            named_struct('place', 19, 'name', 'make', 'filled', count(make)),
            named_struct('place', 20, 'name', 'model', 'filled', count(model)),
            named_struct('place', 21, 'name', 'model_version', 'filled', count(model_version)),
            named_struct('place', 22, 'name', 'platform', 'filled', count(platform)),
            named_struct('place', 23, 'name', 'platform_version', 'filled', count(platform_version)),
            named_struct('place', 24, 'name', 'timezone', 'filled', count(timezone)),
            named_struct('place', 25, 'name', 'attributes', 'filled', count(attributes)),
            named_struct('place', 26, 'name', 'metrics', 'filled', count(metrics)),
            named_struct('place', 27, 'name', 'user_id', 'filled', count(user_id)),
            named_struct('place', 28, 'name', 'user_attributes', 'filled', count(user_attributes)),
            named_struct('place', 29, 'name', 'extra', 'filled', count(extra)),
            named_struct('place', 30, 'name', 'piece', 'filled', count(piece)),
            named_struct('place', 31, 'name', 'line', 'filled', count(line)),
            named_struct('place', 32, 'name', 'snapshot', 'filled', count(snapshot))
        ) AS columns
    FROM endpoints
    GROUP BY channel_type
),

unfolded AS (
    SELECT channel_type, endpoints, unnest(columns) AS entry FROM counted
)

SELECT
    entry['name'] AS "column",
    channel_type,
    CAST(endpoints - entry['filled'] AS DOUBLE) / endpoints AS null_share,
    endpoints
FROM unfolded
ORDER BY entry['place'], channel_type NULLS LAST
