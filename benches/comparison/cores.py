"""What more cores bring: a conversion on one thread and on all, and how busy the cores are over the time of one run."""

import pathlib
import subprocess
import time

from . import convert, measure
from .convert import Audience

MILLION = 1_000_000
SLICE_SECONDS = 0.05


def run(record, work, args):
    """The scenario."""
    record.known(["pinlake"])
    audience = Audience(MILLION, 20).scaled(args.scale)
    pieces = convert.make("pieces-20", audience, work)
    tools = {}
    for threads in (1, args.threads):
        limited = type(args)(**{**vars(args), "threads": threads})
        tools[f"pinlake, threads: {threads}"] = lambda limited=limited: convert.run_pinlake(pieces, audience.endpoints, work, limited)
    rounds = measure.in_turn(tools, args.rounds, record)
    record.keep("cores", rounds)
    one, all_threads = tools
    record.table(rounds, all_threads)
    record.say(f"{args.threads} threads are {measure.ratio(rounds, one, all_threads):.2f} times as fast as one")
    shares = utilisation(pieces, work, args)
    record.results["utilisation"] = shares
    record.say(f"CPU of the process in slices of {SLICE_SECONDS * 1000:.0f} ms, 100 % is one core:")
    record.say(" ".join(f"{share:.0%}" for share in shares))


def utilisation(pieces, work, args):
    """CPU seconds a second of one conversion, slice by slice, as /proc tells them."""
    lake = work / "lake-of-cores"
    command = [measure.PINLAKE, "--lake", lake, "--threads", args.threads, "--progress", "off", "convert", pieces, "--replace",
               "--snapshot", "cores", "--compression", args.codec]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    schedules = pathlib.Path(f"/proc/{process.pid}/task")
    shares, spent, last = [], {}, time.perf_counter()
    before = 0
    while process.poll() is None:
        time.sleep(SLICE_SECONDS)
        for task in list(schedules.glob("*/schedstat")):
            try:
                # The first number is nanoseconds on a core; a thread that has ended keeps what was read of it last.
                spent[task.parent.name] = int(task.read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError, IndexError):
                continue
        now, total = time.perf_counter(), sum(spent.values())
        shares.append((total - before) / 1e9 / (now - last))
        before, last = total, now
    return shares[:-1]
