"""S3 to disk, and S3 to Parquet, from a `pinlake local` on loopback.

`fetch`: pinlake fetch against s5cmd and aws s3 cp, for big and for small objects. `overlap`: how much longer S3 to Parquet takes
than the slower of its two halves, fetching alone and converting from a folder. The server works on the same cores.
"""

import contextlib
import os
import shutil
import statistics
import subprocess

from . import convert, measure
from .measure import Failed
from .record import program

OBJECTS = {"big": (20, 7_500_000), "small": (3_000, 1_000)}


@contextlib.contextmanager
def local_s3():
    """A `pinlake local`: the environment for its clients, and its bucket."""
    server = subprocess.Popen([measure.PINLAKE, "--quiet", "local"], stdout=subprocess.PIPE, text=True)
    try:
        env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and "proxy" not in name.lower()}
        for line in server.stdout:
            if line.startswith("#"):
                break
            name, _, value = line.removeprefix("export ").strip().partition("=")
            env[name] = value.strip("'")
        env |= {"AWS_EC2_METADATA_DISABLED": "true", "S3_ENDPOINT_URL": env["AWS_ENDPOINT_URL_S3"]}
        yield env, env["PINLAKE_BUCKET"]
    finally:
        server.terminate()
        server.wait()


def upload(folder, url, env):
    """Puts a folder's files under a prefix, by whichever client is there."""
    if shutil.which(program("s5cmd")):
        measure.measured([program("s5cmd"), "--log", "error", "cp", f"{folder}/", url], env)
    else:
        measure.measured([program("aws"), "s3", "cp", "--recursive", "--quiet", folder, url], env)


def downloader(name, url, env, folders, args):
    """A function that downloads everything under a prefix with one of the clients, each time into a folder of its own, which it returns
    too. Folders are deleted at the end only: ext4 avoids inodes that were freed within the last minute, and looking past thousands of
    them costs the next client more than its download."""

    def run():
        dest = folders / f"{len(list(folders.iterdir())):03}"
        commands = {
            "pinlake": [measure.PINLAKE, "--progress", "off", "--threads", args.threads, "fetch", url, dest],
            "s5cmd": [program("s5cmd"), "--log", "error", "cp", f"{url}*", f"{dest}/"],
            "aws": [program("aws"), "s3", "cp", "--recursive", "--quiet", url, dest],
        }
        dest.mkdir()
        return measure.measured(commands[name], env), dest

    return run


@contextlib.contextmanager
def scratch(work, name):
    """An empty folder, and nothing of it afterwards."""
    folder = work / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def run_fetch(record, work, args):
    """Big and small objects."""
    clients = record.known(["pinlake", "s5cmd", "aws"])
    for size, (count, length) in OBJECTS.items():
        count = max(int(count * args.scale), 2)
        with scratch(work, f"objects-{size}") as source, scratch(work, "fetched") as folders, local_s3() as (env, bucket):
            for number in range(count):
                (source / f"part-{number:05}.gz").write_bytes(os.urandom(length))
            url = f"s3://{bucket}/{size}/"
            upload(source, url, env)

            def checked(client):
                run = downloader(client, url, env, folders, args)

                def run_and_count():
                    result, dest = run()
                    if measure.files_in(dest, "*.gz") != (count, count * length):
                        raise Failed(f"{client} did not fetch everything: {measure.files_in(dest, '*.gz')}")
                    return result

                return run_and_count

            record.say(f"\n{count:,} {size} objects of {length:,} bytes, {args.rounds} rounds")
            rounds = measure.in_turn({client: checked(client) for client in clients}, args.rounds, record)
        record.keep(size, rounds)
        record.table(rounds)


def run_overlap(record, work, args):
    """S3 to Parquet against its two halves."""
    record.known(["pinlake"])
    audience = convert.AUDIENCES["pieces-20"].scaled(args.scale)
    pieces = convert.make("pieces-20", audience, work)
    with scratch(work, "fetched") as folders, local_s3() as (env, bucket):
        url = f"s3://{bucket}/pieces/"
        upload(pieces, url, env)
        fetch = downloader("pinlake", url, env, folders, args)
        tools = {
            "pinlake convert s3://": lambda: convert.run_pinlake(url, audience.endpoints, work, args, env=env),
            "pinlake convert folder": lambda: convert.run_pinlake(pieces, audience.endpoints, work, args),
            "pinlake fetch": lambda: fetch()[0],
        }
        rounds = measure.in_turn(tools, args.rounds, record)
    for measurements in rounds:
        measurements["pinlake fetch"]["size"] = 0
    record.keep("overlap", rounds)
    record.table(rounds, "pinlake convert folder")
    whole, *halves = tools
    ratio = statistics.median(one[whole]["wall"] / max(one[half]["wall"] for half in halves) for one in rounds)
    record.say(f"S3 to Parquet takes {ratio:.2f} times as long as the slower of fetching alone and converting from a folder")
