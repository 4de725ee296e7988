"""How long it takes until pinlake does something: `--help`, and a first query. The page cache is warm."""

from . import measure

RUNS = 20


def run(record, work, args):
    """The scenario; what is compared with is the smallest program there is."""
    record.known(["pinlake"])
    lake = work / "lake-of-start"
    pieces = work / "one-endpoint"
    if not lake.exists():
        measure.pinlake("generate", 1, pieces)
        measure.pinlake("--lake", lake, "convert", pieces)
    tools = {
        "pinlake --help": lambda: measure.measured([measure.PINLAKE, "--help"]),
        "pinlake sql 'select 1'": lambda: measure.pinlake("--lake", lake, "sql", "select 1"),
        "true": lambda: measure.measured(["true"]),
    }
    rounds = measure.in_turn(tools, max(RUNS, args.rounds), record)
    record.keep("start", rounds)
    record.table(rounds, "true")
