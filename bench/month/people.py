"""What people have said and done: causes they looked at, acts, bulk operations, schedules, limits, settings."""

from __future__ import annotations

from collections.abc import Iterator

from bench.month.history import SPAN
from bench.month.shape import DAY, MINUTE, Clock, Month, job_id
from bench.shop import QUEUES, TARGETS
from pgqueue.bench.site import Conn
from pgqueue.store import execute, limits, queues, routes, schedules

CAUSES_TABLE = "causes"
CAUSES = "cause, target, error_type, error, first_at, title, note, assignee, muted_until, resolved_at, resolved_release"
AUDIT_TABLE, AUDIT = "audit", "at, who, via, action, filter, job_ids, n, reason"
OPERATIONS_TABLE = "operations"
OPERATIONS = "kind, filter, rate, who, via, reason, state, looked, done, skipped, failed, made_at, changed_at"
TICKS_TABLE, TICKS = "ticks", "schedule, scheduled_for, decided_at, why"
REVISIONS_TABLE, REVISIONS = "revisions", "job_id, at, who, old_args"
PEOPLE = ("ann", "bob", "cleo", "dan@example.org")
SCHEDULES, BULK, KEYS = 200, 300, 50
NULL = "\\N"


def causes(month: Month) -> Iterator[str]:
    """Lines of COPY; of each ten, one is muted, one resolved, and somebody's."""
    chance, clock = month.random("causes"), Clock()
    for number, (cause, target, kind) in enumerate(month.causes):
        # The last few are new.
        first = month.now - (number % 50 * MINUTE if number < 20 else round(chance.random() * SPAN))
        muted = clock(month.now + DAY) if number % 10 == 3 else NULL
        resolved = f"{clock(month.now - DAY)}\t4f1a" if number % 10 == 7 else f"{NULL}\t{NULL}"
        title = f"Card declined, case {number}" if number % 10 == 5 else NULL
        who = PEOPLE[number % 4] if number % 10 == 5 else NULL
        yield (
            f"{cause}\t{target}\t{kind}\tOrder # was refused\t{clock(first)}\t{title}\t{NULL}\t{who}\t"
            f"{muted}\t{resolved}\n"
        )


def acts(month: Month) -> Iterator[str]:
    """Lines of COPY for the audit, the oldest first."""
    chance, clock = month.random("acts"), Clock()
    for number in range(month.acts):
        at = month.now - SPAN + number * SPAN // month.acts
        ids = ",".join(job_id(at - each, each, chance.getrandbits(60)) for each in range(number % 20))
        action = ("retry", "cancel", "pause", "edit", "purge")[number % 5]
        yield (
            f"{clock(at)}\t{PEOPLE[number % 4]}\tcli\t{action}\tqueue:{QUEUES[number % 20]}\t{{{ids}}}\t"
            f"{number % 900}\tthe provider is back\n"
        )


def operations(month: Month) -> Iterator[str]:
    """Lines of COPY for bulk operations: one waits to be resumed, the others are done."""
    clock = Clock()
    for number in range(BULK):
        at = clock(month.now - SPAN + number * SPAN // BULK)
        kind = ("retry", "cancel", "purge", "bury")[number % 4]
        yield (
            f"{kind}\tqueue:{QUEUES[number % 20]} error:refused\t50\t{PEOPLE[number % 4]}\tcli\tthe provider is back\t"
            f"{'stopped' if number == BULK - 1 else 'done'}\t20000\t12000\t7990\t10\t{at}\t{at}\n"
        )


def ticks(month: Month) -> Iterator[str]:
    """Lines of COPY: what became of each schedule's ticks, one an hour over as many hours as fit."""
    clock = Clock()
    for number in range(SCHEDULES):
        for hour in range(min(30 * 24, max(24, month.acts // 20))):
            at = clock((month.now // MINUTE - hour * 60 - number % 60) * MINUTE)
            yield f"{_schedule(number)}\t{at}\t{at}\tdue\n"


def revisions(month: Month) -> Iterator[str]:
    """Lines of COPY: arguments of jobs before somebody edited them."""
    chance, clock = month.random("revisions"), Clock()
    for number in range(month.acts // 10):
        at = month.now - SPAN + number * SPAN // month.acts
        yield f'{job_id(at, number, chance.getrandbits(60))}\t{clock(at)}\tann\t{{"order_id": {number}}}\n'


def rule(conn: Conn) -> None:
    """Say what people say of queues, keys and routes, and when to enqueue what, as they would."""
    execute(conn, limits.put("key", "tenant:*", 5, None, None, None, None, None))
    for number in range(KEYS):
        execute(conn, limits.put("key", f"provider:{number}", 3, "100/s", 10, 2, None, None))
    for rank, queue in enumerate(QUEUES):
        execute(conn, queues.set_settings(queues.Settings(queue, 60.0 + rank, None, None, None)))
        execute(conn, routes.put(f"bench.{queue}.*", queue))
    execute(conn, queues.pause(QUEUES[-1], None))
    for number in range(SCHEDULES):
        said = {"name": _schedule(number), "cron": f"{number % 60} * * * *", "timezone": "Europe/Vienna"}
        execute(
            conn,
            schedules.put({**said, "target": TARGETS[number % len(TARGETS)], "args": {}, "queue": QUEUES[number % 20]}),
        )


def _schedule(number: int) -> str:
    return f"hourly-{number}"
