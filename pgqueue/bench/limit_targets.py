"""The targets of jobs with limits; see targets.py."""

from __future__ import annotations

from pgqueue.bench import draining, fair, full_key, lanes, rated, ticking
from pgqueue.bench.idle_workers import EXECUTORS
from pgqueue.bench.reading import Key
from pgqueue.bench.sizes import Sizes
from pgqueue.bench.target import Target

# How the names of their figures begin.
BEGINNINGS = (
    "drain of ",
    f"{draining.figure(1)}, beside an earlier checkout",
    lanes.GAP,
    rated.FIGURE,
    "turns of ",
    full_key.FIGURE,
    "schedules",
)


def is_of_limits(figure: str) -> bool:
    """Whether a figure is about jobs with limits, or about what they cost those without."""
    return figure.startswith(BEGINNINGS)


def targets(sizes: Sizes) -> list[Target]:
    """Those whose measures are not left out at these sizes."""
    found = [*_lanes(sizes)] if sizes.keyed else []
    found += _full_key(sizes) if sizes.behind and sizes.claims else []
    if sizes.rated:
        found.append(
            Target(f"{rated.FIGURE}: worst second", Key(rated.FIGURE, rated.WORST), rated.RATE, None, "at most")
        )
        found.append(Target(f"{rated.FIGURE}: share used", Key(rated.FIGURE, rated.USED), 0.95))
    if sizes.tenant:
        figure = fair.figure(sizes)
        found.append(Target(f"{figure}, at worst", Key(figure, fair.WORST), 3, None, "at most"))
    if sizes.schedules:
        figure = ticking.figure(sizes)
        found.append(
            Target(
                f"{figure}, {ticking.KILLED} of {ticking.WORKERS} workers killed meanwhile",
                Key(figure, ticking.LAST),
                5,
                None,
                "at most",
                "s",
            )
        )
    return found


def _lanes(sizes: Sizes) -> list[Target]:
    found = []
    for (workers, jobs, concurrency), bound in ((lanes.FEW_KEYS, 0.5), (lanes.MANY_KEYS, 0.35)):
        figure = lanes.figure(lanes.keys_of(sizes.keyed, jobs), workers, concurrency)
        found.append(Target(f"{figure}, over one without", Key(figure, lanes.KEYED), bound, Key(figure, lanes.UNKEYED)))
    for executor in EXECUTORS:
        figure = f"{lanes.GAP} p50"
        over = Key(figure, f"pick-up, {executor}")
        found.append(Target(f"{figure}, `{executor}`, over its pick-up", Key(figure, executor), 2, over, "at most"))
    return found


def _full_key(sizes: Sizes) -> list[Target]:
    figure = f"{full_key.FIGURE}, p50"
    return [
        Target(f"claim p50, {shape.name}, over alone", Key(figure, shape.name), 1.2, Key(figure, alone.name), "at most")
        for shape, alone in full_key.shapes(sizes)
    ]
