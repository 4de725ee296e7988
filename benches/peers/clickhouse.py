"""Pieces to one Parquet file with ClickHouse (chdb): an explicit schema, maps as Map."""

import sys

import chdb

source, out, threads, codec = sys.argv[1:5]
text = ", ".join(f"{name} String" for name in ("Id", "ApplicationId", "ChannelType", "Address", "EndpointStatus", "OptOut", "RequestId", "CohortId"))
nullable = lambda kind, names: ", ".join(f"{name} Nullable({kind})" for name in names)
demographic = nullable("String", ("AppVersion", "Locale", "Make", "Model", "ModelVersion", "Platform", "PlatformVersion", "Timezone"))
location = nullable("String", ("City", "Country", "PostalCode", "Region")) + ", " + nullable("Float64", ("Latitude", "Longitude"))
schema = (
    f"{text}, CreationDate Nullable(DateTime64(3)), EffectiveDate Nullable(DateTime64(3)), Location Tuple({location}), "
    f"Demographic Tuple({demographic}), Attributes Map(String, Array(String)), Metrics Map(String, Float64), "
    "User Tuple(UserId Nullable(String), UserAttributes Map(String, Array(String)))"
)
chdb.query(
    f"INSERT INTO FUNCTION file('{out}', 'Parquet') SELECT * FROM file('{source}/*.gz', 'JSONEachRow', '{schema}') "
    f"SETTINGS max_threads={int(threads)}, input_format_json_defaults_for_missing_elements_in_named_tuple=1, "
    f"date_time_input_format='best_effort', output_format_parquet_compression_method='{codec}'"
)
print(str(chdb.query(f"SELECT count(*) FROM file('{out}', 'Parquet')")).strip())
