"""The course of a benchmark: every measure once a round, one after another, round by round."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import psycopg

from pgqueue import embedded
from pgqueue.bench import (
    before,
    draining,
    enqueueing,
    fair,
    full_key,
    growth,
    horizon,
    lanes,
    picking_up,
    rated,
    ticking,
)
from pgqueue.bench.beside import Rival
from pgqueue.bench.machine import Machine, machine
from pgqueue.bench.reading import Key, Measure, Missing, Reading
from pgqueue.bench.server import durable_server
from pgqueue.bench.site import Site, open_site
from pgqueue.bench.sizes import Sizes
from pgqueue.bench.targets import Verdict, judge, targets
from pgqueue.errors import PgqueueError, UsageError
from pgqueue.interrupt import interruptible

Say = Callable[[str], None]
# Measures of others, to stand beside ours in every round.
Others = Callable[[Site], tuple[list[Measure], list[Rival], Missing]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to measure: `dsn` None is a server of its own; `only` are patterns of measures' names, all if none.

    `earlier` is the folder of another checkout, whose drain is measured beside this one's.
    """

    dsn: str | None = field(repr=False)
    sizes: Sizes
    rounds: int
    only: Sequence[str] = ()
    say: Say = print
    earlier: Path | None = None


@dataclass(slots=True)
class Results:
    """What a run of `command` found, round by round; `missing` says why a measure has nothing."""

    machine: Machine
    rounds: list[dict[Key, Reading]] = field(default_factory=list)
    missing: Missing = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    rivals: list[Rival] = field(default_factory=list)
    seconds: float = 0.0
    command: str = ""


def no_others(site: Site) -> tuple[list[Measure], list[Rival], Missing]:
    """Nobody beside us."""
    return [], [], {}


def run_bench(settings: Settings, others: Others = no_others) -> Results:
    """Measure everything; nothing is left behind, even after Ctrl-C (KeyboardInterrupt).

    Raises UsageError if the server's role may not create a database, or no measure has such a name.
    """
    began = time.monotonic()
    with (
        interruptible(),
        open_settings_site(settings) as site,
        growth.measures(site) as growing,
        full_key.measures(site) as full,
    ):
        beside, rivals, missing = others(site)
        compared = [] if settings.earlier is None else before.measures(settings.earlier)
        found = Results(machine(site), missing=missing, rivals=rivals)
        measures = chosen(
            [*own_measures(site), *compared, *beside, *full, *growing, *horizon.measures(site)], settings.only
        )
        for number in range(1, settings.rounds + 1):
            found.rounds.append(_round(site, measures, number, found.missing, settings.say))
        found.verdicts = [
            judge(target, found.rounds) for target in targets(settings.sizes, rivals, compared=bool(compared))
        ]
    found.seconds = time.monotonic() - began
    return found


def own_measures(site: Site) -> list[Measure]:
    """All but those of growth, which need databases of their own, and of the held horizon, which come last."""
    plain = [*enqueueing.measures(site), *picking_up.measures(site), *draining.measures(site)]
    return [*plain, *lanes.measures(site), *rated.measures(site), *ticking.measures(site), *fair.measures(site)]


def chosen(measures: Sequence[Measure], only: Sequence[str]) -> list[Measure]:
    """Those with a name that one of the patterns fits, or begins like. Raises UsageError if that is none of them."""
    found = [each for each in measures if not only or any(_fits(each.name, pattern) for pattern in only)]
    if not found:
        names = ", ".join(each.name for each in measures)
        raise UsageError(f"no measure is called {', '.join(only)}; there are {names}")
    return found


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or name.startswith(pattern)


def _round(site: Site, measures: Sequence[Measure], number: int, missing: Missing, say: Say) -> dict[Key, Reading]:
    found: dict[Key, Reading] = {}
    for measure in measures:
        if measure.name in missing or (measure.once and number > 1):
            continue
        began = time.monotonic()
        try:
            site.empty()
            readings = measure.run(site)
        except (PgqueueError, psycopg.Error, OSError, subprocess.SubprocessError, RuntimeError) as error:
            # One that cannot be measured does not take the others with it: the table says why.
            missing[measure.name] = f"{error}".strip() or type(error).__name__
            say(f"round {number}: {measure.name}: not measured: {missing[measure.name]}")
            continue
        found.update((reading.key, reading) for reading in readings)
        told = "; ".join(f"{each.value:,.4g} {each.unit}".strip() for each in readings[:3])
        say(f"round {number}: {measure.name}: {told}  ({time.monotonic() - began:.1f} s)")
    return found


@contextmanager
def open_settings_site(settings: Settings) -> Iterator[Site]:
    """A place to measure at on the server that is named, or on one of its own."""
    if settings.dsn is None:
        with durable_server() as server:
            pid, programs = server.pid, server.bin_dir
            with open_site(server.dsn(), settings.sizes, server=pid, programs=programs) as site:
                yield site
    elif embedded.is_embedded(settings.dsn):
        with (
            embedded.open(settings.dsn) as database,
            open_site(database.dsn, settings.sizes, server=None, programs=None) as site,
        ):
            yield site
    else:
        with open_site(settings.dsn, settings.sizes, server=None, programs=None) as site:
            yield site
