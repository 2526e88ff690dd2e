"""The drain of an earlier checkout beside this one's: each runs its own benchmark, on the same server, by turns."""

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
from pgqueue.errors import PgqueueError

NOW, BEFORE = "now", "before"
EXECUTORS = ("thread", "async", "process")
LIMIT = 1800.0


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
        return [
            Reading(Key(name(self._executor), which), "/s", drained(site, folders[which], self._executor))
            for which in order
        ]


def drained(site: Site, checkout: Path, executor: str) -> float:
    """Jobs a second, as that checkout's own benchmark finds it on this server. Raises PgqueueError."""
    size = ["--full"] if site.sizes is FULL else ["--quick"] if site.sizes is QUICK else []
    command = [sys.executable, "-m", "pgqueue", "bench", "--dsn", site.admin, "--only", f"drain-1/{executor}", "--json"]
    done = subprocess.run(
        [*command, *size],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    if done.returncode:
        raise PgqueueError(f"{checkout}: {(done.stderr.strip() or 'no word').splitlines()[-1]}")
    for line in done.stdout.splitlines():
        said = json.loads(line)
        if said.get("kind") == "reading" and (said["figure"], said["of"]) == (figure(1), executor):
            return float(said["value"])
    raise PgqueueError(f"{checkout}: its benchmark found no drain by {executor}")
