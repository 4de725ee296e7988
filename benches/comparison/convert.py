"""Pieces to Parquet: pinlake, DuckDB, ClickHouse and Polars on the same pieces, with the same codec and number of threads."""

import dataclasses
import shutil
import sys

from . import measure
from .measure import Failed


@dataclasses.dataclass(frozen=True)
class Audience:
    """What `pinlake generate` is asked for."""

    endpoints: int
    pieces: int
    options: tuple = ()

    def scaled(self, scale):
        """The same with more or fewer endpoints; pieces keep their size where they are many."""
        endpoints = max(int(self.endpoints * scale), 1)
        return Audience(endpoints, max(int(self.pieces * scale), 1) if self.pieces > 100 else self.pieces, self.options)


AUDIENCES = {
    "pieces-20": Audience(1_000_000, 20),
    "one-piece": Audience(200_000, 1),
    "small-pieces": Audience(300_000, 3_000),
    # Speed must not depend on the usual order of members, the usual size of records, or on values being as they should.
    "shuffled": Audience(1_000_000, 20, ("--shuffle-members",)),
    "sparse": Audience(1_000_000, 20, ("--records", "sparse")),
    "rich": Audience(500_000, 20, ("--records", "rich", "--attributes", "10")),
    "odd": Audience(1_000_000, 20, ("--odd-share", "0.05")),
}


def make(name, audience, work):
    """The folder with the audience's pieces, made unless it is there."""
    folder = work / f"{name}-{audience.endpoints}"
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        measure.pinlake("generate", audience.endpoints, partial, "--pieces", audience.pieces, *audience.options)
        partial.rename(folder)
    return folder


def run_pinlake(source, endpoints, work, args, *words, env=None):
    """Converts into a lake of its own; the lake is gone afterwards."""
    lake = work / "lake"
    shutil.rmtree(lake, ignore_errors=True)
    result = measure.pinlake("--lake", lake, "--threads", args.threads, "convert", source, "--compression", args.codec,
                             "--expect-rows", endpoints, *words, env=env)
    result["size"] = measure.files_in(lake, "*.parquet")[1]
    shutil.rmtree(lake)
    return result


def run_peer(name, source, endpoints, work, args):
    """Converts with a script of benches/peers, which prints the number of rows at the end."""
    out = work / f"{name}.parquet"
    result = measure.measured([sys.executable, measure.PEERS / f"{name}.py", source, out, args.threads, args.codec])
    rows = int(result["out"].split()[-1])
    result["size"] = out.stat().st_size
    out.unlink()
    if rows != endpoints:
        raise Failed(f"{name} wrote {rows} rows of {endpoints}")
    return result


def run(record, work, args):
    """The scenario that the record names."""
    audience = AUDIENCES[record.scenario].scaled(args.scale)
    pieces = make(record.scenario, audience, work)
    number, stored = measure.files_in(pieces, "*.gz")
    words = f" ({' '.join(audience.options)})" if audience.options else ""
    record.say(f"{audience.endpoints:,} endpoints{words}, {stored / 1e6:.0f} MB of gzip in {number:,} pieces, {args.codec}, "
               f"{args.threads} threads, {args.rounds} rounds")
    tools = {"pinlake": lambda: run_pinlake(pieces, audience.endpoints, work, args)}
    for peer in record.known(["pinlake", *filter(None, args.peers.split(","))])[1:]:
        tools[peer] = lambda peer=peer: run_peer(peer, pieces, audience.endpoints, work, args)
    usual = AUDIENCES["pieces-20"].scaled(args.scale)
    if audience.options and (audience.endpoints, audience.pieces) == (usual.endpoints, usual.pieces):
        usual_pieces = make("pieces-20", usual, work)
        tools["pinlake on pieces-20"] = lambda: run_pinlake(usual_pieces, usual.endpoints, work, args)
    rounds = measure.in_turn(tools, args.rounds, record)
    record.keep("convert", rounds)
    record.table(rounds)
