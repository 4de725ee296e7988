"""Running a command and measuring it; running several in turn; medians."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PINLAKE = pathlib.Path(os.environ.get("PINLAKE", ROOT / "target" / "release" / "pinlake"))
PEERS = ROOT / "benches" / "peers"


class Failed(Exception):
    """A command that did not do what it should."""


def measured(command, env=None):
    """Runs a command: its wall and CPU seconds, its peak resident bytes, and its standard output."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=err, env=env)
        # RUSAGE_CHILDREN tells the largest child so far, so the kernel is asked about this one.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        if process.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}: code {process.returncode}: {err.read()[-500:]}")
        return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024, "out": out.read()}


def pinlake(*words, env=None):
    """Runs pinlake without progress."""
    return measured([PINLAKE, "--progress", "off", *words], env)


def in_turn(tools, rounds, record):
    """Runs every tool once a round, after a round to warm up; a peer that fails in that one is left out, with its reason.

    `tools` maps names to functions that give a measurement. Returns the rounds, each a measurement by name.
    """
    tools, result = dict(tools), []
    for number in range(rounds + 1):
        measurements = {}
        for name, run in list(tools.items()):
            try:
                measurements[name] = run()
            except Failed as failure:
                if number > 0 or name.startswith("pinlake"):
                    raise
                record.say(f"{name} is left out: {reason(failure)}")
                del tools[name]
        for measurement in measurements.values():
            measurement.pop("out", None)
        if number:
            result.append(measurements)
            walls = ", ".join(f"{name} {one['wall']:.3f} s" for name, one in measurements.items())
            print(f"  round {number}: {walls}", file=sys.stderr, flush=True)
    return result


def reason(failure):
    """The line of a failure that names the error, or its last one."""
    lines = str(failure).strip().splitlines()
    return next((line for line in reversed(lines) if "Error" in line or "Exception" in line), lines[-1])[:300]


def median(rounds, name, key):
    """The median of one figure of one tool."""
    return statistics.median(measurements[name][key] for measurements in rounds)


def ratio(rounds, name, reference):
    """The median over the rounds of how many times as long as the reference a tool took."""
    return statistics.median(one[name]["wall"] / one[reference]["wall"] for one in rounds)


def files_in(folder, pattern="*"):
    """Number and bytes of the files below a folder."""
    sizes = [path.stat().st_size for path in folder.rglob(pattern) if path.is_file()]
    return len(sizes), sum(sizes)
