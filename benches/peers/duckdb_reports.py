"""pinlake's built-in reports run by DuckDB on a lake's Parquet files: `LAKE THREADS NAME...`, prints
{"seconds": SECONDS, "reports": {"name": [rows...]}, "untranslated": {"name": error}}, the seconds being without the start of Python and
its modules.

The SQL is that of queries/NAME.sql with the defaults of its parameters; what DuckDB calls otherwise is translated here. The
views are those of crates/pinlake-report/src/session/views.rs, as far as reports use them.
"""

import datetime
import json
import pathlib
import re
import sys
import time

# This file's own folder comes first on the path, and a script in it has the module's name.
sys.path.pop(0)
import duckdb

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CODES = ROOT / "crates" / "pinlake-report" / "src" / "session" / "countries.tsv"
PARAMETER = re.compile(r"^-- param: (\w+) (\w+) = (\S+)", re.MULTILINE)
# In order: names of functions, structs, and a word that DuckDB keeps for itself.
TRANSLATIONS = [
    (r"\bcardinality\(", "len("),
    (r"\bmake_array\(", "list_value("),
    (r"\barray_compact\(", "without_nulls("),
    (r"named_struct\('place', (\d+), 'name', ('\w+'), 'filled', (count\(\w+\))\)", r"{'place': \1, 'name': \2, 'filled': \3}"),
    (r"\bcolumns\b(?=\n|\))", '"columns"'),
]
VIEWS = """
CREATE MACRO without_nulls(items) AS list_filter(items, lambda item: item IS NOT NULL);
CREATE VIEW attributes AS SELECT id, name, unnest(items) AS value FROM (
    SELECT id, unnest(map_keys(attributes)) AS name, unnest(map_values(attributes)) AS items FROM endpoints);
CREATE VIEW user_attributes AS SELECT user_id, id, name, unnest(items) AS value FROM (
    SELECT user_id, id, unnest(map_keys(user_attributes)) AS name, unnest(map_values(user_attributes)) AS items FROM endpoints);
CREATE VIEW metrics AS SELECT id, unnest(map_keys(metrics)) AS name, unnest(map_values(metrics)) AS value FROM endpoints;
CREATE VIEW users AS SELECT user_id, count(*) AS endpoints,
    list_sort(list(DISTINCT channel_type) FILTER (WHERE channel_type IS NOT NULL)) AS channels,
    count(*) FILTER (WHERE endpoint_status = 'ACTIVE' AND coalesce(opt_out, 'NONE') <> 'ALL' AND address <> '') AS targetable,
    count(*) FILTER (WHERE opt_out = 'ALL') AS opted_out, min(creation_date) AS first_created, max(effective_date) AS last_effective
    FROM endpoints WHERE user_id IS NOT NULL GROUP BY user_id;
"""


def open_lake(lake, threads):
    """A connection with the views."""
    connection = duckdb.connect()
    connection.execute(f"SET threads={threads}; SET TimeZone='UTC'; SET preserve_insertion_order=false")
    files = f"{lake}/endpoints/snapshot=*/*.parquet"
    connection.execute(f"CREATE VIEW endpoints AS SELECT * FROM read_parquet('{files}', hive_partitioning=true, hive_types_autocast=false)")
    countries = [line.split("\t") for line in CODES.read_text().splitlines()]
    connection.execute("CREATE TABLE country_codes (code VARCHAR, alpha2 VARCHAR)")
    values = ", ".join(f"('{alpha2}', '{alpha2}'), ('{alpha3}', '{alpha2}')" for alpha2, alpha3, _ in countries)
    connection.execute(f"INSERT INTO country_codes VALUES {values}")
    connection.execute(VIEWS)
    return connection


def value_of(kind, text):
    """A parameter's default."""
    if text == "null":
        return None
    return {"integer": int, "date": datetime.date.fromisoformat}.get(kind, str)(text)


def run(connection, name):
    """The rows of one report."""
    sql = (ROOT / "queries" / f"{name}.sql").read_text()
    values = {parameter: value_of(kind, text) for parameter, kind, text in PARAMETER.findall(sql)}
    for pattern, replacement in TRANSLATIONS:
        sql = re.sub(pattern, replacement, sql)
    result = connection.execute(sql, values or None)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row)) for row in result.fetchall()]


def plain(value):
    """Dates and moments as pinlake writes them."""
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else str(value)


if __name__ == "__main__":
    lake, threads, *names = sys.argv[1:]
    start = time.perf_counter()
    connection = open_lake(lake, int(threads))
    reports, untranslated = {}, {}
    for name in names:
        try:
            reports[name] = run(connection, name)
        except duckdb.Error as error:
            untranslated[name] = str(error).splitlines()[0]
    seconds = time.perf_counter() - start
    json.dump({"seconds": seconds, "reports": reports, "untranslated": untranslated}, sys.stdout, default=plain)
