"""The built-in reports: `pinlake report` against the same SQL run by DuckDB on the same Parquet files.

Both give the same rows, which is checked first. Then all reports together are measured in turn, and each by itself. DuckDB
runs in Python, so its time is told twice: of the process, as pinlake's is, and from opening the lake to the last row, without
the start of Python and its modules.
"""

import datetime
import json
import math
import shutil
import statistics
import sys

from . import convert, measure

RUNNER = measure.PEERS / "duckdb_reports.py"


def same(ours, theirs):
    """Whether two values of a report say the same: doubles but for the last digits, moments in any notation."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return math.isclose(ours, theirs, rel_tol=1e-9)
    return ours == theirs or (isinstance(ours, str) and isinstance(theirs, str) and moment(ours) == moment(theirs) is not None)


def moment(text):
    """A date with a time, in UTC; None where the text is none."""
    try:
        return datetime.datetime.fromisoformat(text).astimezone(datetime.timezone.utc)
    except ValueError:
        return None


def differences(ours, theirs):
    """The first difference of each report, for people."""
    for name in ours:
        rows, others = ours[name], theirs.get(name, [])
        if len(rows) != len(others):
            yield f"{name}: {len(rows)} rows against {len(others)}"
            continue
        for number, (row, other) in enumerate(zip(rows, others)):
            if list(row) != list(other) or not all(map(same, row.values(), other.values())):
                yield f"{name}, row {number}: {row} against {other}"
                break


def inner_ratio(rounds):
    """The median of DuckDB's own time over pinlake's."""
    return statistics.median(one["duckdb"]["inner"] / one["pinlake"]["wall"] for one in rounds)


def run(record, work, args):
    """The scenario."""
    if record.known(["pinlake", "duckdb"]) != ["pinlake", "duckdb"]:
        return
    audience = convert.AUDIENCES["pieces-20"].scaled(args.scale)
    pieces, lake = convert.make("pieces-20", audience, work), work / "lake-of-reports"
    shutil.rmtree(lake, ignore_errors=True)
    measure.pinlake("--lake", lake, "--threads", args.threads, "convert", pieces, "--compression", args.codec)
    listed = json.loads(measure.pinlake("report", "--list", "--format", "json")["out"])
    names = [report["name"] for report in listed if not any(parameter["required"] for parameter in report["params"])]

    def pinlake(*words):
        return measure.pinlake("--lake", lake, "--threads", args.threads, "report", *words, "--format", "json")

    def duckdb(*words):
        result = measure.measured([sys.executable, RUNNER, lake, args.threads, *words])
        result["inner"] = json.loads(result["out"])["seconds"]
        return result

    # What DuckDB does not understand of a statement is not translated yet; such reports are named and left out on both sides.
    answer = json.loads(duckdb(*names)["out"])
    untranslated, names = answer["untranslated"], [name for name in names if name in answer["reports"]]
    ours, theirs = json.loads(pinlake(*names)["out"]), answer["reports"]
    found = list(differences(ours, theirs))
    record.say(f"{audience.endpoints:,} endpoints, {args.codec}, {args.threads} threads, {args.rounds} rounds; "
               f"{len(names) - len(found)} of {len(names)} reports give the same rows")
    for difference in found:
        record.say(f"  different: {difference}")
    for name, error in untranslated.items():
        record.say(f"  left out: {name}: {error}")
    rounds = measure.in_turn({"pinlake": lambda: pinlake(*names), "duckdb": lambda: duckdb(*names)}, args.rounds, record)
    record.keep("all", rounds)
    record.table(rounds)
    record.say(f"DuckDB without Python's start: {measure.median(rounds, 'duckdb', 'inner'):.3f} s, × {inner_ratio(rounds):.2f}\n")
    record.say("| report | pinlake s | DuckDB s | × pinlake | DuckDB without start s | × pinlake |")
    record.say("| --- | --- | --- | --- | --- | --- |")
    for name in names:
        rounds = measure.in_turn({"pinlake": lambda: pinlake(name), "duckdb": lambda: duckdb(name)}, args.rounds, record)
        record.keep(name, rounds)
        ours, theirs, inner = (measure.median(rounds, *what) for what in (("pinlake", "wall"), ("duckdb", "wall"), ("duckdb", "inner")))
        ratio = measure.ratio(rounds, "duckdb", "pinlake")
        record.say(f"| {name} | {ours:.3f} | {theirs:.3f} | {ratio:.2f} | {inner:.3f} | {inner_ratio(rounds):.2f} |")
    shutil.rmtree(lake)
