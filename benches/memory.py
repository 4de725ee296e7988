#!/usr/bin/env python3
"""--memory-limit against the most that was resident, of the release build: `just memory-limits`.

Converts and queries a million endpoints under several limits, and converts lines of 15 MiB, and prints limit, peak, ratio and exit code of each. A
ratio above 1.1 at a limit of 256 MiB or more fails, and so does anything but 0 and 8. Takes some minutes and 3 GB of disk.
"""

import argparse
import multiprocessing
import os
import random
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


LONG_BYTES = 15 << 20
MEMBERS = ["Make", "Model", "Locale", "Platform", "Timezone", "AppVersion", "ModelVersion", "PlatformVersion"]


def long_lines():
    """Pieces of lines that are nearly as long as a line may be, by name: each the lines of one file, or of several."""
    dice = random.Random(1)
    noise = lambda: dice.randbytes(LONG_BYTES // 2).hex()
    return {
        "one letter": ['{"Id":"' + "a" * LONG_BYTES + '"}' for _ in range(4)],
        "ids": ['{"Id":"' + noise() + '"}' for _ in range(6)],
        "labels": ['{"%s":"%s"}' % (name, noise()) for name in ["ChannelType", "OptOut", "CohortId", "EndpointStatus"]],
        "columns": ['{"Demographic":{"%s":"%s"}}' % (name, "b" * LONG_BYTES) for name in MEMBERS],
        "extra": ['{"Zip":"' + noise() + '"}' for _ in range(6)],
        "values": ['{"Attributes":{"n%d":["%s"]}}' % (n, noise()) for n in range(6)],
        "attributes": ['{"Attributes":{' + ",".join('"%x":["%x"]' % (n, n) for n in range(800_000)) + "}}" for _ in range(4)],
        "members": ["{" + ",".join('"%x":1' % n for n in range(1_300_000)) + "}" for _ in range(4)],
        "escapes": ['{"Id":"' + r"\n" * (LONG_BYTES // 2) + '"}' for _ in range(4)],
        "rejects": ["x" + "\x01" * LONG_BYTES for _ in range(4)],
        "pieces": [['{"Id":"' + noise() + '"}' for _ in range(3)] for _ in range(4)],
    }


def write_long_lines(folder):
    """Writes them below a folder."""
    pieces = long_lines()
    for name, lines in pieces.items():
        os.makedirs(f"{folder}/long/{name}")
        files = lines if isinstance(lines[0], list) else [lines]
        for number, lines in enumerate(files):
            with open(f"{folder}/long/{name}/{number}.json", "w") as file:
                file.write("\n".join(lines) + "\n")


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
        # In a process of its own: the peak of what is started counts from the size of this one.
        writer = multiprocessing.Process(target=write_long_lines, args=[folder])
        writer.start()
        writer.join()
        assert writer.exitcode == 0
        long = sorted(os.listdir(f"{folder}/long"))
        print(f"{'what':<20}{'limit MiB':>10}{'peak MiB':>10}{'ratio':>8}{'exit':>6}{'s':>8}")
        for limit in options.limits:
            commands = {"convert": ["--lake", f"lake-{limit}", "convert", "in", "--snapshot", "s"]}
            commands |= {
                f"long: {name}": ["--lake", f"long-{limit}", "--threads", "2", "convert", f"long/{name}", "--snapshot", str(number), "--max-rejects", "100%"]
                for number, name in enumerate(long)
            }
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
                print(f"{name:<20}{limit:>10}{peak:>10.0f}{ratio:>8.2f}{code!s:>6}{seconds:>8.1f}{mark}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
