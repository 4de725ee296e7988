#!/usr/bin/env python3
"""Pieces to Parquet: pinlake against the tools that a user would pick instead, in turn, on the same pieces.

    python3 benches/compare.py [--endpoints 1000000] [--pieces 20] [--rounds 5] [--threads 2]
                               [--codec snappy] [--peers duckdb,clickhouse,polars] [--keep DIR]

Makes the pieces with `pinlake generate`, then runs every tool once in each round, in turn, so that a noisy minute of the
machine hits all of them. Prints wall time, CPU time, peak resident memory and size of the output as medians, and the
median over the rounds of (peer's wall / pinlake's wall in the same round). Each run is checked: the output must hold
every endpoint. Needs a release build (`cargo build --release`) and the peers (`pip install duckdb chdb polars`).
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PINLAKE = ROOT / "target" / "release" / "pinlake"
PEERS = ROOT / "benches" / "peers"
MODULES = {"duckdb": "duckdb", "clickhouse": "chdb", "polars": "polars"}


def measured(command):
    """Runs a command; its wall and CPU seconds, peak resident bytes, and standard output."""
    start = time.perf_counter()
    # A child of its own for each run: ru_maxrss of RUSAGE_CHILDREN is the largest child so far, so wait4 is asked instead.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{err}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024, "out": out}


def run_pinlake(pieces, folder, args):
    lake = folder / "lake"
    result = measured([PINLAKE, "--lake", lake, "--threads", str(args.threads), "--progress", "off", "convert", pieces,
                       "--compression", args.codec, "--expect-rows", str(args.endpoints)])
    result["size"] = sum(file.stat().st_size for file in lake.rglob("*.parquet"))
    return result


def run_peer(name, pieces, folder, args):
    out = folder / f"{name}.parquet"
    script = PEERS / f"{name}.py"
    result = measured([sys.executable, script, pieces, out, str(args.threads), args.codec])
    rows = int(result["out"].split()[-1])
    if rows != args.endpoints:
        sys.exit(f"{name} wrote {rows} rows of {args.endpoints}")
    result["size"] = out.stat().st_size
    return result


def version_of(name):
    if name == "pinlake":
        return subprocess.run([PINLAKE, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    code = f"import {MODULES[name]} as m; print(m.__version__)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", type=int, default=1_000_000)
    parser.add_argument("--pieces", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--codec", default="snappy", choices=["snappy", "zstd"])
    parser.add_argument("--peers", default="duckdb,clickhouse,polars")
    parser.add_argument("--keep", type=pathlib.Path, help="keep the pieces here, and use those that are there")
    parser.add_argument("--json", type=pathlib.Path, help="write every single measurement here")
    args = parser.parse_args()
    tools = ["pinlake", *[peer for peer in args.peers.split(",") if peer]]
    versions = {tool: version_of(tool) for tool in tools}

    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        pieces = args.keep or work / "pieces"
        if not pieces.exists():
            subprocess.run([PINLAKE, "generate", str(args.endpoints), pieces, "--pieces", str(args.pieces)], check=True)
        stored = sum(file.stat().st_size for file in pieces.glob("*.gz"))
        print(f"{machine()}\n{args.endpoints:,} endpoints, {stored / 1e6:.0f} MB of gzip in {args.pieces} pieces, "
              f"{args.codec}, {args.threads} threads, {args.rounds} rounds after one to warm up", flush=True)
        rounds = []
        for number in range(args.rounds + 1):
            results = {}
            for tool in tools:
                folder = work / "out"
                folder.mkdir()
                run = run_pinlake if tool == "pinlake" else lambda *rest, tool=tool: run_peer(tool, *rest)
                results[tool] = run(pieces, folder, args)
                shutil.rmtree(folder)
            if number:
                rounds.append(results)
                print(f"round {number}: " + ", ".join(f"{tool} {results[tool]['wall']:.2f} s" for tool in tools), flush=True)
        table(tools, versions, rounds)
        if args.json:
            for results in rounds:
                for result in results.values():
                    result.pop("out")
            args.json.write_text(json.dumps({"machine": machine(), "versions": versions, "args": vars(args) | {"keep": None, "json": None}, "rounds": rounds}, indent=1))


def table(tools, versions, rounds):
    print("\n| tool | wall s | CPU s | peak MB | output MB | × pinlake |\n| --- | --- | --- | --- | --- | --- |")
    for tool in tools:
        median = {key: statistics.median(results[tool][key] for results in rounds) for key in ("wall", "cpu", "peak", "size")}
        ratio = statistics.median(results[tool]["wall"] / results["pinlake"]["wall"] for results in rounds)
        print(f"| {tool} {versions[tool]} | {median['wall']:.2f} | {median['cpu']:.2f} | {median['peak'] / 1e6:.0f} "
              f"| {median['size'] / 1e6:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
