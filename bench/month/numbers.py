"""What was counted over time, minutes first made into hours as the merge would have: tallies and depths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from bench.month.shape import DAY, MINUTE, Clock, Month
from bench.shop import QUEUES, TARGETS
from pgqueue.buckets import BUCKETS

TALLIES_TABLE, TALLIES = "tallies", "minute, span, worker, queue, target, outcome, cause, n, ended, wait, run"
DEPTHS_TABLE = "depths"
DEPTHS = "minute, span, queue, ready, later, running, dead, oldest, entered, exact"
HOUR = 60 * MINUTE
# Minutes are kept for two days; of the last five, each worker's rows are still its own.
FINE, RAW = 2 * DAY, 5 * MINUTE
FAILING = 0.1
SHAPES = 64
NULL = "\\N"


def tallies(month: Month) -> Iterator[str]:
    """Lines of COPY: a row a target and minute, or hour; and one a cause that it met then."""
    chance, clock = month.random("tallies"), Clock()
    shapes = [_counts(chance) for _ in range(SHAPES)]
    causes: dict[str, list[str]] = {}
    for cause, target, _ in month.causes:
        causes.setdefault(target, []).append(cause)
    for at, span in _steps(month):
        for target in TARGETS:
            # One row of all workers, or of each third worker one of its own.
            raw = at >= month.now - RAW
            for worker in month.workers[chance.getrandbits(1) :: 3] if raw else (None,):
                queue = target.partition(":")[2].rpartition("_")[0]
                n, wait, run = shapes[chance.getrandbits(6)]
                factor = span // MINUTE
                head = f"{clock(at)}\t{span // 1000}\t{NULL if worker is None else worker}\t{queue}\t{target}"
                yield f"{head}\tsucceeded\t{NULL}\t{n * factor}\t{n * factor}\t{wait}\t{run}\n"
                failing = 1 - (1 - FAILING) ** factor
                if chance.random() < failing and target in causes:
                    for cause in chance.sample(causes[target], min(len(causes[target]), 1 if factor == 1 else 2)):
                        yield f"{head}\tfailed\t{cause}\t{factor}\t0\t{NULL}\t{run}\n"


def depths(month: Month) -> Iterator[str]:
    """Lines of COPY: how full each queue was, each minute, or hour."""
    chance, clock = month.random("depths"), Clock()
    for at, span in _steps(month):
        for rank, queue in enumerate(QUEUES, 1):
            ready = round(month.ready / rank / 3.6 * (0.8 + 0.2 * chance.random()))
            entered = round(400 / rank * chance.random()) * (span // MINUTE)
            yield (
                f"{clock(at)}\t{span // 1000}\t{queue}\t{ready}\t{month.later // 20}\t{16}\t{month.dead // 20}\t"
                f"{round(3600 * chance.random())}\t{entered}\t{'f' if ready > 200 else 't'}\n"
            )


def _steps(month: Month) -> Iterator[tuple[int, int]]:
    """Each moment that has rows, with its span: whole hours, then whole minutes, up to the last that is over."""
    fine = (month.now - FINE) // HOUR * HOUR
    for at in range((month.now - month.days * DAY) // HOUR * HOUR, fine, HOUR):
        yield at, HOUR
    for at in range(fine, month.now // MINUTE * MINUTE, MINUTE):
        yield at, MINUTE


def _counts(chance: Random) -> tuple[int, str, str]:
    """How many there were, and how long they waited and ran, in buckets."""
    n = 5 + chance.getrandbits(5)
    return n, _buckets(chance, n, 13), _buckets(chance, n, 7)


def _buckets(chance: Random, n: int, middle: int) -> str:
    counts = [0] * BUCKETS
    for _ in range(n):
        counts[min(BUCKETS - 1, max(0, round(chance.gauss(middle, 1.5))))] += 1
    return _array(counts)


def _array(values: Sequence[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"
