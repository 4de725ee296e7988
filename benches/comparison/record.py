"""What a scenario found: told as it comes, and kept as text and as JSON."""

import datetime
import json
import os
import platform
import re
import shlex
import subprocess
import sys

from . import measure

MODULES = {"duckdb": "duckdb", "clickhouse": "chdb", "polars": "polars"}
COMMANDS = {"s5cmd": ["s5cmd", "version"], "aws": ["aws", "--version"]}


def machine():
    """The processor, its cores, the system."""
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo") as lines:
        memory = int(next(lines).split()[1]) * 1024
    return f"{model}, {os.cpu_count()} cores, {memory / 1e9:.0f} GB, {platform.system()} {platform.release()}"


def default_folder():
    """benches/runs/DATE-MACHINE."""
    name = re.search(r"xeon|epyc|ryzen|core|apple|neoverse", machine().lower())
    name = name.group() if name else platform.machine()
    return measure.ROOT / "benches" / "runs" / f"{datetime.date.today()}-{name}-{os.cpu_count()}-cores"


def version(tool):
    """A tool's version; None where it is not installed."""
    if tool.startswith("pinlake"):
        return measure.measured([measure.PINLAKE, "--version"])["out"].split()[-1]
    if tool in MODULES:
        command = [sys.executable, "-c", f"import {MODULES[tool]} as module; print(module.__version__)"]
    else:
        command = [program(COMMANDS[tool][0]), *COMMANDS[tool][1:]]
    try:
        run = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return run.stdout.split()[0].removeprefix("aws-cli/") if run.returncode == 0 else None


def program(name):
    """A program of this Python environment, else of the search path."""
    own = os.path.join(os.path.dirname(sys.executable), name)
    return own if os.path.exists(own) else name


class Record:
    """The page of one scenario."""

    def __init__(self, scenario, args):
        self.scenario, self.args = scenario, args
        self.lines, self.versions, self.results = [], {}, {}
        self.say(f"{scenario}: {machine()}")

    def say(self, line=""):
        """Tells a line of the page."""
        self.lines.append(line)
        print(line, flush=True)

    def known(self, tools):
        """Those of the tools that are installed, with their versions noted."""
        for tool in tools:
            self.versions[tool] = version(tool)
            if self.versions[tool] is None:
                self.say(f"{tool} is not installed and left out")
        return [tool for tool in tools if self.versions[tool]]

    def keep(self, name, rounds):
        """Keeps every measurement of a table."""
        self.results[name] = rounds

    def table(self, rounds, reference="pinlake"):
        """The table of a comparison: medians of each tool, and how many times as long as the reference it took."""
        has_size = any("size" in one for one in rounds[0].values())
        size_head = " output MB |" if has_size else ""
        self.say(f"\n| tool | wall s | CPU s | peak MB |{size_head} × {reference} |")
        self.say(f"| --- | --- | --- | --- |{' --- |' if has_size else ''} --- |")
        for tool in rounds[0]:
            wall, cpu, peak = (measure.median(rounds, tool, key) for key in ("wall", "cpu", "peak"))
            size = f" {measure.median(rounds, tool, 'size') / 1e6:.1f} |" if has_size else ""
            name = f"{tool} {self.versions.get(tool) or ''}".strip()
            self.say(f"| {name} | {wall:.3f} | {cpu:.3f} | {peak / 1e6:.0f} |{size} {measure.ratio(rounds, tool, reference):.2f} |")
        self.say()

    def save(self):
        """Writes SCENARIO.txt and SCENARIO.json."""
        self.args.out.mkdir(parents=True, exist_ok=True)
        # Where the data were and where the results went says nothing about them.
        options = {key: value for key, value in vars(self.args).items() if key not in ("scenarios", "list", "work", "out")}
        facts = {
            "scenario": self.scenario,
            "date": str(datetime.date.today()),
            "machine": machine(),
            "versions": {"python": platform.python_version(), **self.versions},
            "command": shlex.join(["python3", "benches/compare.py", self.scenario]),
            "options": options,
            "results": self.results,
        }
        (self.args.out / f"{self.scenario}.json").write_text(json.dumps(facts, indent=1, default=str) + "\n")
        (self.args.out / f"{self.scenario}.txt").write_text("\n".join(self.lines) + "\n")
