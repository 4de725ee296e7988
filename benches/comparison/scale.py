"""How time and memory grow with the audience. `memory`: the peak at 1 and 10 million endpoints, and under limits. `growth`: time
an endpoint at 100,000, 1 and 10 million, and pieces a second with 100,000 small ones."""

from . import convert, measure
from .convert import Audience

MILLION = 1_000_000
LIMITS = ["64MiB", "128MiB", "256MiB", "1GiB"]


def run_memory(record, work, args):
    """Peak resident memory."""
    record.known(["pinlake"])
    small, large = (audience_of(endpoints, work, args) for endpoints in (MILLION, 10 * MILLION))
    tools = {f"pinlake {name}": converter(*audience, work, args) for name, audience in (("1 M", small), ("10 M", large))}
    for limit in LIMITS:
        tools[f"pinlake 1 M, --memory-limit {limit}"] = converter(*small, work, args, "--memory-limit", limit)
    rounds = measure.in_turn(tools, args.rounds, record)
    record.keep("memory", rounds)
    record.table(rounds, "pinlake 1 M")
    grown = measure.median(rounds, "pinlake 10 M", "peak") / measure.median(rounds, "pinlake 1 M", "peak")
    record.say(f"ten times the endpoints take {grown:.2f} times the memory")


def run_growth(record, work, args):
    """Time an endpoint, and small pieces a second."""
    record.known(["pinlake"])
    audiences = {f"pinlake {size:,}": audience_of(size, work, args) for size in (MILLION // 10, MILLION, 10 * MILLION)}
    many = Audience(MILLION // 10, MILLION // 10).scaled(args.scale)
    tools = {name: converter(*audience, work, args) for name, audience in audiences.items()}
    tools["pinlake small pieces"] = converter(convert.make("tiny-pieces", many, work), many.endpoints, work, args)
    rounds = measure.in_turn(tools, args.rounds, record)
    record.keep("growth", rounds)
    record.table(rounds, "pinlake 1,000,000")
    for name, (_, endpoints) in audiences.items():
        microseconds = measure.median(rounds, name, "wall") / endpoints * 1e6
        record.say(f"{name}: {microseconds:.2f} µs an endpoint")
    rate = many.pieces / measure.median(rounds, "pinlake small pieces", "wall")
    record.say(f"{many.pieces:,} pieces of one endpoint: {rate:,.0f} pieces a second")


def audience_of(endpoints, work, args):
    """The pieces of this many endpoints, 50,000 in each, and how many there are."""
    audience = Audience(endpoints, max(endpoints // 50_000, 1)).scaled(args.scale)
    return convert.make(f"grown-{endpoints}", audience, work), audience.endpoints


def converter(pieces, endpoints, work, args, *words):
    """A function that converts them."""
    return lambda: convert.run_pinlake(pieces, endpoints, work, args, *words)
