"""The drain of an earlier checkout beside this one's: each runs its own benchmark, on a server of its own, by turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pgqueue.bench.draining import figure
from pgqueue.bench.reading import Key, Measure, Reading
from pgqueue.bench.site import Site
from pgqueue.bench.sizes import FULL, QUICK
from pgqueue.database import VARIABLE
from pgqueue.errors import PgqueueError

NOW, BEFORE = "now", "before"
EXECUTORS = ("thread", "async", "process")
LIMIT = 1800.0
# Figures of a drain that stay the same while others use the machine.
COSTS = ("CPU per 1,000 jobs, worker", "CPU per 1,000 jobs, server")


def name(executor: str) -> str:
    """The name of the figure."""
    return f"{figure(1)}, beside an earlier checkout, {executor}"


def measures(earlier: Path) -> list[Measure]:
    """One a kind of executor; `earlier` is the folder of the other checkout."""
    return [Measure(f"before/{executor}", _Comparison(earlier, executor).measure) for executor in EXECUTORS]


class _Comparison:
    """Who goes first changes from round to round: what is left of the one in caches and disks hits the other."""

    def __init__(self, earlier: Path, executor: str) -> None:
        self._earlier = earlier
        self._executor = executor
        self._turns = 0

    def measure(self, site: Site) -> list[Reading]:
        folders = {NOW: Path(__file__).parents[2], BEFORE: self._earlier}
        order = (NOW, BEFORE) if self._turns % 2 else (BEFORE, NOW)
        self._turns += 1
        found = {which: _drained(site, folders[which], self._executor) for which in order}
        rate = name(self._executor)
        return [
            *(Reading(Key(rate, which), "/s", found[which][figure(1)]) for which in folders),
            *(
                Reading(Key(f"{rate}, {cost}", which), "s", found[which][cost])
                for cost in COSTS
                for which in folders
                if cost in found[which]
            ),
        ]


def _drained(site: Site, checkout: Path, executor: str) -> dict[str, float]:
    """What that checkout's own benchmark finds, on a server of its own. Raises PgqueueError."""
    size = ["--full"] if site.sizes is FULL else ["--quick"] if site.sizes is QUICK else []
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    done = subprocess.run(
        [sys.executable, "-m", "pgqueue", "bench", "--only", f"drain-1/{executor}", "--json", *size],
        cwd=checkout,
        env={**environment, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    if done.returncode:
        raise PgqueueError(f"{checkout}: {(done.stderr.strip() or 'no word').splitlines()[-1]}")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    found = {each["figure"]: float(each["value"]) for each in said if each.get("of") == executor}
    if figure(1) not in found:
        raise PgqueueError(f"{checkout}: its benchmark found no drain by {executor}")
    return found
