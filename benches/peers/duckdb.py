"""Pieces to one Parquet file with DuckDB: an explicit schema (inference is slower), maps as MAP, order not kept."""

import sys

# This file's own folder comes first on the path, and this file has the module's name.
sys.path.pop(0)
import duckdb

source, out, threads, codec = sys.argv[1:5]
connection = duckdb.connect()
connection.execute(f"SET threads={int(threads)}; SET preserve_insertion_order=false")
text = {name: "VARCHAR" for name in ("Id", "ApplicationId", "ChannelType", "Address", "EndpointStatus", "OptOut", "RequestId", "CohortId")}
columns = text | {
    "CreationDate": "TIMESTAMP",
    "EffectiveDate": "TIMESTAMP",
    "Location": "STRUCT(City VARCHAR, Country VARCHAR, Latitude DOUBLE, Longitude DOUBLE, PostalCode VARCHAR, Region VARCHAR)",
    "Demographic": "STRUCT(AppVersion VARCHAR, Locale VARCHAR, Make VARCHAR, Model VARCHAR, ModelVersion VARCHAR, "
                   "Platform VARCHAR, PlatformVersion VARCHAR, Timezone VARCHAR)",
    "Attributes": "MAP(VARCHAR, VARCHAR[])",
    "Metrics": "MAP(VARCHAR, DOUBLE)",
    "User": "STRUCT(UserId VARCHAR, UserAttributes MAP(VARCHAR, VARCHAR[]))",
}
schema = "{" + ", ".join(f'"{name}": \'{kind}\'' for name, kind in columns.items()) + "}"
connection.execute(
    f"COPY (SELECT * FROM read_json('{source}/*.gz', format='newline_delimited', columns={schema})) "
    f"TO '{out}' (FORMAT parquet, COMPRESSION {codec})"
)
print(connection.execute(f"SELECT count(*) FROM '{out}'").fetchone()[0])
