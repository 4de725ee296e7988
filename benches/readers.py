#!/usr/bin/env python3
"""A lake read by the tools that others use: Python's deltalake, DuckDB, pyarrow, Polars and ClickHouse must see the rows that
pinlake sees.

    python3 benches/readers.py [--endpoints 20000]

Makes an audience with odd records among it, converts it twice (two snapshots, so that the partition column counts) and one of them
once more in its place (so that files were taken out of the table), and holds
row counts, column types and a hash over every id, date and attribute of each reader against those of `pinlake sql`. Exits
with 1 at the first difference. Needs a build of pinlake and `pip install chdb deltalake duckdb polars pyarrow`.
"""

import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import chdb
import duckdb
import polars
import pyarrow.dataset
from deltalake import DeltaTable

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pinlake():
    for profile in ("release", "debug"):
        binary = ROOT / "target" / profile / "pinlake"
        if binary.exists():
            return binary
    sys.exit("no build of pinlake under target/: run cargo build first")


def digest(rows):
    """A hash over (snapshot, piece, line, id, creation date in µs, sorted attributes) of every row, in order of place."""
    sha = hashlib.sha256()
    for row in sorted(rows, key=lambda row: (row[0], row[1], row[2])):
        sha.update(json.dumps(row, ensure_ascii=False).encode())
    return sha.hexdigest()


def micros(value):
    return None if value is None else round(value.timestamp() * 1_000_000)


def row_of(snapshot, piece, line, id, created, attributes):
    pairs = dict(attributes) if attributes is not None else None
    ordered = None if pairs is None else sorted((name, list(values)) for name, values in pairs.items())
    return [snapshot, piece, line, id, created, ordered]


COLUMNS = ["snapshot", "piece", "line", "id", "creation_date", "attributes"]


def by_pinlake(lake, binary):
    query = ("SELECT snapshot, piece, line, id, CAST(extract(epoch FROM creation_date) * 1000000 AS BIGINT) AS created, "
             "attributes FROM all_endpoints")
    out = subprocess.run([binary, "--lake", lake, "sql", query, "--format", "ndjson"], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in out.stdout.splitlines()]
    return [row_of(*(row[name] for name in ("snapshot", "piece", "line", "id", "created", "attributes"))) for row in rows]


def by_arrow(table):
    rows = zip(*(table.column(name).to_pylist() for name in COLUMNS))
    return [row_of(s, p, l, i, micros(c), a) for s, p, l, i, c, a in rows]


def by_deltalake(lake):
    return by_arrow(DeltaTable(lake / "endpoints").to_pyarrow_table(columns=COLUMNS))


def by_pyarrow(lake):
    partitioning = pyarrow.dataset.partitioning(pyarrow.schema([("snapshot", pyarrow.string())]), flavor="hive")
    dataset = pyarrow.dataset.dataset(lake / "endpoints", format="parquet", partitioning=partitioning, exclude_invalid_files=True)
    return by_arrow(dataset.to_table(columns=COLUMNS))


def by_duckdb(lake):
    rows = duckdb.sql(f"SELECT snapshot, piece, line, id, epoch_us(creation_date), attributes "
                      f"FROM read_parquet('{lake}/endpoints/*/*.parquet', hive_partitioning=true, hive_types_autocast=false)")
    return [row_of(*row) for row in rows.fetchall()]


def by_polars(lake):
    frame = polars.scan_parquet(f"{lake}/endpoints/*/*.parquet", hive_partitioning=True).select(COLUMNS).collect()
    return [row_of(s, p, l, i, micros(c), a) for s, p, l, i, c, a in frame.iter_rows()]


def by_clickhouse(lake):
    # A map cannot be null there: what is null comes as an empty one, which pinlake tells apart, so nullness is asked of it too.
    query = (f"SELECT extract(_path, 'snapshot=([^/]+)/') AS snapshot, piece, line, id, "
             f"toUnixTimestamp64Micro(creation_date) AS created, attributes "
             f"FROM file('{lake}/endpoints/*/*.parquet', Parquet)")
    out = chdb.query(query, "JSONEachRow").bytes().decode()
    rows = (json.loads(line) for line in out.splitlines())
    return [row_of(row["snapshot"], row["piece"], int(row["line"]), row["id"],
                   None if row["created"] is None else int(row["created"]), row["attributes"]) for row in rows]


def without_null_maps(rows):
    """The rows as a reader sees them that has no null maps."""
    return [row[:-1] + [row[-1] or []] for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", type=int, default=20_000)
    args = parser.parse_args()
    binary = pinlake()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        lake = work / "lake"
        for snapshot, share, seed in (("first", 0.0, 1), ("second", 0.1, 2), ("second", 0.3, 3)):
            pieces = work / f"{snapshot}-{seed}"
            subprocess.run([binary, "-q", "generate", str(args.endpoints), pieces, "--pieces", "3", "--odd-share", str(share),
                            "--seed", str(seed)], check=True)
            subprocess.run([binary, "-q", "--lake", lake, "convert", pieces, "--snapshot", snapshot, "--replace"], check=True,
                           stdout=subprocess.DEVNULL)
        expected = by_pinlake(lake, binary)
        assert len(expected) == 2 * args.endpoints, f"pinlake sees {len(expected)} rows"
        print(f"pinlake    {len(expected):,} rows  {digest(expected)[:16]}")
        print(f"           {digest(without_null_maps(expected))[:16]} where null maps are empty ones")
        for name, reader, view in (("deltalake", by_deltalake, None), ("duckdb", by_duckdb, None), ("pyarrow", by_pyarrow, None),
                                   ("polars", by_polars, None), ("clickhouse", by_clickhouse, without_null_maps)):
            rows = reader(lake)
            wanted = view(expected) if view else expected
            rows = view(rows) if view else rows
            print(f"{name:<10} {len(rows):,} rows  {digest(rows)[:16]}")
            if digest(rows) != digest(wanted):
                sys.exit(f"{name} reads other rows than pinlake")
        for column, kind, *_ in duckdb.sql(f"DESCRIBE SELECT * FROM '{lake}/endpoints/*/*.parquet'").fetchall():
            print(f"  {column}: {kind}")


if __name__ == "__main__":
    main()
