"""Jobs that have not ended: those that are due, and those that wait for their time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from bench.month.shape import DAY, QUEUE_WEIGHTS, TENANTS, Clock, Month, job_id
from bench.shop import QUEUES, targets_of

TABLE = "jobs"
COLUMNS = "id, run_at, created_at, priority, attempt, queue, target, args, unique_key, limit_key, lane, lined, labels"
# Drawn from by chance. Most jobs have never failed and have the usual priority.
PRIORITIES = (*(5,) * 90, *(3,) * 6, *(9,) * 4)
ATTEMPTS = (*(0,) * 97, 1, 2, 6)
# Shares: with a unique key, with a limit key, with labels.
UNIQUE, LIMITED, LABELLED = 0.05, 0.01, 0.1
# What is due now came within so long.
BACKLOG = 2 * DAY
HOUR = DAY // 24
NULL = "\\N"
NOT_LIMITED = f"{NULL}\t{NULL}\t{NULL}"


def ready(month: Month) -> Iterator[str]:
    """Lines of COPY for jobs that are due, the oldest first."""
    chance = month.random("ready")
    moments = (month.now - BACKLOG + number * BACKLOG // month.ready for number in range(month.ready))
    return _lines(chance, ((at, at, chance.choice(ATTEMPTS)) for at in moments), "t")


def later(month: Month) -> Iterator[str]:
    """Lines of COPY for jobs that are not: a third tried again within the hour, the others within two weeks."""
    chance = month.random("later")
    return _lines(chance, _times(month, chance), NULL)


def _times(month: Month, chance: Random) -> Iterator[tuple[int, int, int]]:
    for number in range(month.later):
        at = month.now - BACKLOG + number * BACKLOG // month.later
        again = number % 3 == 0
        wait = (HOUR if again else 14 * DAY) * chance.random()
        # Not before whoever looks has had some time to do so.
        yield at, month.now + HOUR + round(wait), 1 + number % 5 if again else 0


def _lines(chance: Random, moments: Iterable[tuple[int, int, int]], lined: str) -> Iterator[str]:
    """`lined` says whether a job with a limit key stands in its lane already, as one that is due does."""
    said, clock = chance.random, Clock()
    queues = chance.choices(range(len(QUEUES)), cum_weights=QUEUE_WEIGHTS, k=4096)
    targets = [targets_of(queue) for queue in QUEUES]
    for number, (at, due, attempt) in enumerate(moments):
        queue = queues[chance.getrandbits(12)]
        noise = chance.getrandbits(60)
        customer = noise % 50_000
        share = said()
        args = f'{{"order_id": {number}, "user": {{"id": {customer}}}, "total": {noise % 30_000}}}'
        unique = f"order:{number}-{noise & 0xFFFF:04x}-{at}" if share < UNIQUE else NULL
        tenant = customer % TENANTS
        lane = f"tenant:{tenant}\ttenant:{tenant}\t{lined}" if share > 1 - LIMITED else NOT_LIMITED
        labels = f'{{"tenant": "t{tenant}"}}' if UNIQUE < share < UNIQUE + LABELLED else NULL
        yield (
            f"{job_id(at, number, noise)}\t{clock(due)}\t{clock(at)}\t{PRIORITIES[noise % 100]}\t{attempt}\t"
            f"{QUEUES[queue]}\t{targets[queue][noise & 1]}\t{args}\t{unique}\t{lane}\t{labels}\n"
        )
