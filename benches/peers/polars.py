"""Pieces to one Parquet file with Polars. It has no map type, so the attribute names of the generated audience are fixed fields."""

import os
import sys

source, out, threads, codec = sys.argv[1:5]
os.environ["POLARS_MAX_THREADS"] = threads
# This file's own folder comes first on the path, and this file has the module's name.
sys.path.pop(0)
import polars

TEXT, NUMBER = polars.String, polars.Float64
texts = lambda *names: polars.Struct({name: TEXT for name in names})
lists = lambda *names: polars.Struct({name: polars.List(TEXT) for name in names})
schema = {name: TEXT for name in ("Id", "ApplicationId", "ChannelType", "Address", "EndpointStatus", "OptOut", "RequestId", "CohortId", "CreationDate", "EffectiveDate")}
schema |= {
    "Location": polars.Struct({"City": TEXT, "Country": TEXT, "Latitude": NUMBER, "Longitude": NUMBER, "PostalCode": TEXT, "Region": TEXT}),
    "Demographic": texts("AppVersion", "Locale", "Make", "Model", "ModelVersion", "Platform", "PlatformVersion", "Timezone"),
    "Attributes": lists("interests", "plan", "note"),
    "Metrics": polars.Struct({"sessions": NUMBER, "spend": NUMBER}),
    "User": polars.Struct({"UserId": TEXT, "UserAttributes": lists("FirstName", "LastName", "Age", "Segment")}),
}
rows = polars.scan_ndjson(f"{source}/*.gz", schema=schema)
dates = polars.col("CreationDate", "EffectiveDate").str.to_datetime(time_unit="ms", format="%Y-%m-%dT%H:%M:%S%.fZ", strict=False)
rows.with_columns(dates).sink_parquet(out, compression=codec)
print(polars.scan_parquet(out).select(polars.len()).collect().item())
