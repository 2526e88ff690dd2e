"""What has ended: attempts over a month, and dead jobs with why they are dead."""

from __future__ import annotations

from collections.abc import Iterator

from bench.month.shape import DAY, QUEUE_WEIGHTS, Clock, Month, job_id
from bench.shop import QUEUES, targets_of

ATTEMPTS_TABLE = "attempts"
ATTEMPTS = (
    "job_id, started_at, finished_at, worker, claim, attempt, outcome, queue, target, cause, error_type, error,"
    " traceback, created_at, run_at, priority, args"
)
DEAD_TABLE = "dead_jobs"
DEAD = (
    "id, died_at, run_at, created_at, started_at, claim, priority, attempt, crashes, queue, target, args, reason,"
    " cause, error_type, error, traceback"
)
SPAN = 30 * DAY
# Share of the jobs that fail first, and so many of those that end otherwise than well.
FAILING, CANCELLED = 0.1, 0.005
NULL = "\\N"


def attempts(month: Month) -> Iterator[str]:
    """Lines of COPY: one attempt a job, or a failure or two before; the last one carries what the job was."""
    chance, clock = month.random("attempts"), Clock()
    said = chance.random
    queues = chance.choices(range(len(QUEUES)), cum_weights=QUEUE_WEIGHTS, k=4096)
    targets = [targets_of(queue) for queue in QUEUES]
    number = 0
    while number < month.attempts:
        at = month.now - SPAN + number * SPAN // month.attempts
        queue, noise = queues[chance.getrandbits(12)], chance.getrandbits(60)
        worker = month.workers[noise % len(month.workers)]
        job, target = job_id(at, number, noise), targets[queue][noise & 1]
        share = said()
        failures = 1 + (share < FAILING / 4) if share < FAILING else 0
        for claim in range(1, failures + 1):
            began = at + claim * 20_000
            cause, _, kind = chance.choice(month.causes)
            yield (
                f"{job}\t{clock(began)}\t{clock(began + noise % 900)}\t{worker}\t{claim}\t{claim}\tfailed\t"
                f"{QUEUES[queue]}\t{target}\t{cause}\t{kind}\t{_error(kind, noise)}\t"
                f"{_traceback(target, kind, noise)}\t{NULL}\t{NULL}\t{NULL}\t{NULL}\n"
            )
        began = at + failures * 40_000 + noise % 30_000
        outcome = "cancelled" if share > 1 - CANCELLED else "succeeded"
        args = f'{{"order_id": {number}, "user": {{"id": {noise % 50_000}}}, "total": {noise % 30_000}}}'
        yield (
            f"{job}\t{clock(began)}\t{clock(began + 5 + noise % 1500)}\t{worker}\t{failures + 1}\t{failures + 1}\t"
            f"{outcome}\t{QUEUES[queue]}\t{target}\t{NULL}\t{NULL}\t{NULL}\t{NULL}\t{clock(at)}\t{clock(at)}\t5\t{args}\n"
        )
        number += failures + 1


def dead(month: Month) -> Iterator[str]:
    """Lines of COPY for dead jobs, the oldest first; a few causes have most of them."""
    chance, clock = month.random("dead"), Clock()
    weights = [1 / (1 + rank) for rank in range(len(month.causes))]
    drawn = chance.choices(range(len(month.causes)), weights, k=1 << 16)
    for number in range(month.dead):
        # Of each cause one at least.
        which = number if number < len(month.causes) else drawn[chance.getrandbits(16)]
        cause, target, kind = month.causes[which]
        noise = chance.getrandbits(60)
        queue = target.partition(":")[2].rpartition("_")[0]
        at = month.now - SPAN + number * SPAN // month.dead
        end = min(month.now, at + 3_600_000)
        args = f'{{"order_id": {number}, "user": {{"id": {noise % 50_000}}}, "total": {noise % 30_000}}}'
        yield (
            f"{job_id(at, number, noise)}\t{clock(end)}\t{clock(at)}\t{clock(at)}\t{clock(end - 900)}\t26\t5\t26\t0\t"
            f"{queue}\t{target}\t{args}\texhausted\t{cause}\t{kind}\t{_error(kind, noise)}\t"
            f"{_traceback(target, kind, noise)}\n"
        )


def _error(kind: str, noise: int) -> str:
    return (
        f"{kind.rpartition('.')[2]}: order {noise % 100_000} of host 10.0.{noise & 255}.{noise >> 9 & 255} was refused"
    )


# Frames of the task and of a library, as real ones are: what makes rows wide.
_FRAMES = "".join(
    f'  File "/app/shop/part_{n}.py", line {20 * n + 7}, in step_{n}\\n    answer = next_step(order, attempt={n})\\n'
    for n in range(8)
)


def _traceback(target: str, kind: str, noise: int) -> str:
    name = target.partition(":")[2]
    return (
        f'Traceback (most recent call last):\\n  File "/app/shop/tasks.py", line {noise % 400}, in {name}\\n'
        f"    charge(order)\\n{_FRAMES}{kind}: refused\\n"
    )
