"""The scenarios: what is enqueued, who works or calls behind the proxy, and which of its requests are enumerated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pgqueue.client import cancel, enqueue, enqueue_many
from pgqueue.ids import new_job_id
from pgqueue.job import NewJob
from pgqueue.migrate import migrate
from pgqueue.schedules import schedule
from pgqueue.store import execute, reading
from tests import factories
from tests.enumerator.actions import CLIENT_ACTIONS, CUTS, ERRORS, FREEZES, KILLS, STOPS, WORKER_ACTIONS, Action
from tests.enumerator.requests import Request
from tests.enumerator.stage import TASKS, Stage

EVERYTHING = frozenset({"worker", "claimer", "heartbeat", "listener"})
# Requests that come again and again while nothing happens: those after the first few are alike.
IDLE = {"step": 2, "reap": 1, "heartbeat": 1, "next_tick": 1, "prepare": 1}
# How a claimer begins is enumerated in one scenario.
BEGUN = {"claimer connect": 0, "claimer settings": 0, "prepare": 0, "step": 0, "claim_keyed": 0}
Call = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`worker` are the options of the worker behind the proxy; `calls` prepares a client's call, to be repeated until
    it succeeds. One of them is None.

    Enumerated are the requests of `roles`, of each kind at most `limits` or `limit`; a limit may be that of one role.
    `signal_when` asks whether the worker is to be stopped gracefully. `first` befalls the worker in every play; what
    comes after it is enumerated.
    """

    name: str
    setup: Callable[[Stage], object] = lambda _stage: None
    worker: Mapping[str, Any] | None = None
    calls: Callable[[Stage], Call] | None = None
    roles: frozenset[str] = EVERYTHING
    limit: int = 3
    limits: Mapping[str, int] = field(default_factory=lambda: IDLE)
    actions: tuple[Action, ...] = WORKER_ACTIONS
    signal_when: str | None = None
    first: Mapping[Request, Action] = field(default_factory=dict)
    # Whether nobody takes over while the worker is away: its lease is expired then, but not yet taken back.
    alone: bool = False
    empty: bool = False
    # Asked whether the play has come to its end.
    check: Callable[[Stage, bool], list[str]] = Stage.violations

    def covers(self, request: Request) -> bool:
        """Whether a request is enumerated."""
        limit = self.limits.get(request.kind, self.limit)
        limit = self.limits.get(f"{request.role} {request.kind}", limit)
        return request.role in self.roles and request.number <= limit


def _succeed(stage: Stage) -> None:
    stage.send("work", unique_key="one")
    stage.send("work", unique_key="two")


def _fail(stage: Stage) -> None:
    stage.send("fail_until", 3, unique_key="retried")


def _end_badly(stage: Stage) -> None:
    stage.send("fail_until", 99, expected="dead", max_attempts=2)
    stage.send("call_off", expected="cancelled")


def _together(stage: Stage) -> None:
    for how in ("work", "fail", "work", "work"):
        stage.send("together", how)


def _write_together(stage: Stage) -> None:
    for _ in range(4):
        stage.send("write_together")


def _outlast(stage: Stage) -> None:
    """One job outlasts the stop and is given back, another has not been claimed."""
    stage.send("work", 1.2)
    stage.send("work")


def _work_and_write(stage: Stage) -> None:
    stage.send("work", 0.05)
    stage.send("write")


def _enqueue_call(stage: Stage) -> Call:
    job_id = new_job_id()

    def call(dsn: str) -> None:
        with connected(dsn, "enqueue") as conn:
            stage.order(conn, "work", job_id=job_id, unique_key="once")

    return call


def _plain_enqueue_call(stage: Stage) -> Call:
    """With no id and no key: whoever repeats it has another job, with an order of its own."""

    def call(dsn: str) -> None:
        with connected(dsn, "enqueue") as conn:
            job = enqueue(conn, f"{TASKS}:work", [stage.direct])
            conn.execute("insert into orders values (%s, 'succeeded')", [job.id])

    return call


def _enqueue_many_call(stage: Stage) -> Call:
    ids = [new_job_id() for _ in range(3)]

    def call(dsn: str) -> None:
        with connected(dsn, "enqueue") as conn:
            conn.execute(
                "insert into orders select id, 'succeeded' from unnest(%s) as id on conflict do nothing", [ids]
            )
            batch = [NewJob(f"{TASKS}:work", [stage.direct], job_id=new, unique_key=f"key {new}") for new in ids]
            assert enqueue_many(conn, batch) == ids

    return call


def _replace_call(stage: Stage) -> Call:
    """Of a job that waits, until a worker takes it: the call makes another then, which must run, too."""
    stage.send("work", unique_key="replaced", unique_until="start", delay=0.3)
    job_id = new_job_id()
    options: dict[str, Any] = {"unique_key": "replaced", "unique_until": "start", "on_conflict": "replace"}

    def call(dsn: str) -> None:
        with connected(dsn, "enqueue") as conn:
            job = enqueue(conn, f"{TASKS}:work", [stage.direct, 0.01], job_id=job_id, **options)
            conn.execute("insert into orders values (%s, 'succeeded') on conflict do nothing", [job.id])

    return call


@contextmanager
def connected(dsn: str, role: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that commits at the end, and is closed even if that is refused."""
    with closing(psycopg.connect(dsn, application_name=f"pgqueue {role}")) as conn, conn:
        yield conn


def _cancel_call(stage: Stage) -> Call:
    waiting = stage.send("work", expected=None, delay=3600, unique_key="waiting")
    running = stage.send("work", 0.3, expected=None, unique_key="running")

    def call(dsn: str) -> None:
        with connected(dsn, "cancel") as conn:
            assert cancel(conn, waiting) == "cancelled"
            cancel(conn, running)

    return call


def _tick(stage: Stage) -> None:
    """Two ticks that are due when the worker begins, neither of them in time; the next is an hour away."""
    schedule(stage.conn, "hourly", f"{TASKS}:work", [stage.direct], every=3600, catch_up="all")
    stage.ask("update pgqueue.schedules set last_at = now() - interval '2.5 h' returning 1")


def _check_ticked(stage: Stage, ended: bool) -> list[str]:
    ticks = "select count(*) from pgqueue.ticks where why = 'caught up' and job_id is not null"
    faults = stage.violations(ended)
    if ended and (found := stage.ask(ticks)) != 2:
        faults.append(f"{found} ticks have fired, not 2")
    return faults


def _migrate_call(_stage: Stage) -> Call:
    def call(dsn: str) -> None:
        migrate(dsn)

    return call


def _check_migrated(stage: Stage, _ended: bool) -> list[str]:
    """Whether the schema is there once, and works."""
    faults = []
    if migrate(stage.direct):
        faults.append("the schema was not complete: another migrate changed something")
    if stage.ask("select count(*) from pgqueue.alembic_version") != 1:
        faults.append("not one revision")
    with psycopg.connect(stage.direct, autocommit=True) as conn:
        claim = factories.claim_one(conn)
        factories.settle(conn, claim)
        if factories.outcomes(conn, claim.id) != ["succeeded"] or execute(conn, reading.get(claim.id)) is None:
            faults.append("a job does not succeed")
    return faults


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="enqueue",
        calls=_enqueue_call,
        roles=frozenset({"enqueue"}),
        actions=CLIENT_ACTIONS,
    ),
    Scenario(
        name="plain enqueue",
        calls=_plain_enqueue_call,
        roles=frozenset({"enqueue"}),
        actions=CLIENT_ACTIONS,
    ),
    Scenario(
        name="enqueue_many",
        calls=_enqueue_many_call,
        roles=frozenset({"enqueue"}),
        actions=CLIENT_ACTIONS,
    ),
    Scenario(
        name="replace until its start",
        calls=_replace_call,
        roles=frozenset({"enqueue"}),
        actions=CLIENT_ACTIONS,
    ),
    Scenario(
        name="claim and settle",
        setup=_succeed,
        worker={},
    ),
    Scenario(
        name="heartbeat",
        setup=lambda stage: stage.send("work", 0.9),
        worker={},
        roles=frozenset({"heartbeat"}),
        limits={"connect": 0, "settings": 0, "reap": 3},
    ),
    Scenario(
        name="heartbeat, alone",
        setup=lambda stage: stage.send("work", 0.9),
        worker={},
        roles=frozenset({"heartbeat"}),
        # What comes once more now and then, by the clock, is no point that every play reaches.
        limits={"connect": 0, "settings": 0, "reap": 1, "recall": 1, "select": 2},
        actions=(*FREEZES, *STOPS),
        alone=True,
    ),
    Scenario(
        name="fail and retry",
        setup=_fail,
        worker={},
        roles=frozenset({"claimer"}),
        limits={**BEGUN, "step": 2},
    ),
    Scenario(
        name="bury and cancel",
        setup=_end_badly,
        worker={},
        roles=frozenset({"claimer"}),
        limits={**BEGUN, "fail": 2},
    ),
    Scenario(
        name="snooze",
        setup=lambda stage: stage.send("snooze_once"),
        worker={},
        roles=frozenset({"claimer"}),
        limits={**BEGUN, "step": 2},
    ),
    Scenario(
        name="tick",
        setup=_tick,
        worker={},
        roles=frozenset({"heartbeat"}),
        limit=0,
        limits={"next_tick": 1, "replan_schedules": 1, "due_schedules": 1, "fire": 1},
        check=_check_ticked,
    ),
    Scenario(
        name="cancel",
        calls=_cancel_call,
        roles=frozenset({"cancel"}),
        actions=CLIENT_ACTIONS,
    ),
    Scenario(
        name="transactional job",
        setup=lambda stage: stage.send("write"),
        worker={},
        roles=frozenset({"job", "claimer"}),
        limits=BEGUN,
    ),
    Scenario(
        name="complete(conn)",
        setup=lambda stage: stage.send("complete_own", stage.proxied),
        worker={},
        roles=frozenset({"own", "claimer"}),
        limits=BEGUN,
    ),
    Scenario(
        name="batch",
        setup=_together,
        worker={},
        roles=frozenset({"claimer"}),
        limits={**BEGUN, "step": 2, "settle": 2, "claim_companions": 3},
    ),
    Scenario(
        name="transactional batch",
        setup=_write_together,
        worker={},
        roles=frozenset({"job", "claimer"}),
        limits={**BEGUN, "claim_companions": 2},
    ),
    Scenario(
        name="graceful stop",
        setup=_outlast,
        worker={},
        roles=frozenset({"claimer", "worker"}),
        limits={**BEGUN, "step": 1},
        signal_when="select count(*) > 0 from starts",
    ),
    Scenario(
        name="lost reply to a claim",
        setup=_succeed,
        worker={},
        roles=frozenset({"claimer"}),
        limits={"step": 3, "prepare": 0, "claim_keyed": 0},
        first={Request("claimer", "step", 1): Action.CUT_AFTER},
    ),
    Scenario(
        name="lost reply to a settlement",
        setup=_succeed,
        worker={},
        roles=frozenset({"claimer"}),
        limits={"step": 1, "prepare": 0, "claim_keyed": 0},
        first={Request("claimer", "settle", 1): Action.CUT_AFTER},
    ),
    Scenario(
        name="processes",
        setup=_work_and_write,
        worker={"executor": "process"},
        roles=frozenset({"job", "claimer"}),
        limits={**BEGUN, "step": 1, "connect": 1},
        actions=(*CUTS, *KILLS, *STOPS, Action.FREEZE_BEFORE, Action.FREEZE_AFTER, Action.ADMIN_SHUTDOWN),
    ),
    Scenario(
        name="migrate",
        calls=_migrate_call,
        roles=frozenset({"migrate"}),
        limits={},
        actions=(*CUTS, *ERRORS),
        empty=True,
        check=_check_migrated,
    ),
)


def named(name: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.name == name)
