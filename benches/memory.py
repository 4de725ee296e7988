#!/usr/bin/env python3
"""--memory-limit against the most that was resident, of the release build: `just memory-limits`.

Converts and queries a million endpoints under several limits and prints limit, peak, ratio and exit code of each. A ratio above 1.1 at a limit
of 256 MiB or more fails, and so does anything but 0 and 8. Takes some minutes and 2 GB of disk.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

LIMITS_MIB = [256, 512, 1024, 4096]
MOST = 1.1
PATIENCE_SECONDS = 900

QUERIES = {
    "grouping": "SELECT id, count(*) AS n FROM endpoints GROUP BY id ORDER BY n DESC, id LIMIT 10",
    "lists": "SELECT user_id, array_agg(address) AS a FROM endpoints GROUP BY user_id ORDER BY user_id",
    "sort": "SELECT * FROM endpoints ORDER BY address",
    "distinct": "SELECT count(DISTINCT id), count(DISTINCT address) FROM endpoints",
    "window": "SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY address) AS n FROM endpoints",
    "join": "SELECT count(*) FROM endpoints a JOIN endpoints b USING (id)",
    "not exists": "SELECT count(*) FROM endpoints a WHERE NOT EXISTS (SELECT 1 FROM endpoints b WHERE b.id = a.address)",
    "intersect": "SELECT count(*) FROM (SELECT id, address FROM endpoints INTERSECT SELECT id, address FROM endpoints)",
}


def measured(command):
    """Exit code (or HANG), seconds and peak in MiB of a command whose results nobody wants."""
    begun = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pid = 0
    while pid == 0 and time.monotonic() - begun < PATIENCE_SECONDS:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        time.sleep(0.02)
    if pid == 0:
        child.kill()
        _, status, usage = os.wait4(child.pid, 0)
        return "HANG", time.monotonic() - begun, usage.ru_maxrss / 1024
    return os.waitstatus_to_exitcode(status), time.monotonic() - begun, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="target/release/pinlake")
    parser.add_argument("--endpoints", type=int, default=1_000_000)
    parser.add_argument("--limits", type=int, nargs="*", default=LIMITS_MIB, help="in MiB")
    options = parser.parse_args()
    binary = os.path.abspath(options.binary)
    failed = False
    with tempfile.TemporaryDirectory(prefix="pinlake-memory-") as folder:
        run = lambda *args: subprocess.run([binary, *args], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run("generate", str(options.endpoints), "in", "--pieces", "20")
        run("generate", str(options.endpoints), "in2", "--pieces", "20", "--seed", "2")
        run("convert", "in", "--snapshot", "one")
        run("convert", "in2", "--snapshot", "two")
        print(f"{'what':<16}{'limit MiB':>10}{'peak MiB':>10}{'ratio':>8}{'exit':>6}{'s':>8}")
        for limit in options.limits:
            commands = {"convert": ["--lake", f"lake-{limit}", "convert", "in", "--snapshot", "s"]}
            commands |= {name: ["sql", query, "--format", "csv"] for name, query in QUERIES.items()}
            commands["read_pieces"] = ["sql", "SELECT id, count(*) FROM read_pieces('in') GROUP BY id ORDER BY 2 DESC, 1 LIMIT 5", "--format", "csv"]
            commands["report --all"] = ["report", "--all", "--format", "json", "--out", f"all-{limit}.json"]
            commands["diff"] = ["diff", "one", "two", "--out", f"diff-{limit}.ndjson"]
            for name, command in commands.items():
                os.chdir(folder)
                code, seconds, peak = measured([binary, "--memory-limit", f"{limit}MiB", *command])
                ratio = peak / limit
                bad = code not in (0, 8) or (limit >= 256 and ratio > MOST)
                failed = failed or bad
                mark = "  <--" if bad else ""
                print(f"{name:<16}{limit:>10}{peak:>10.0f}{ratio:>8.2f}{code!s:>6}{seconds:>8.1f}{mark}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
