"""Whatever a stranger plants in `public`: no function, view or statement of ours calls it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import wraps
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgqueue
from pgqueue import store
from pgqueue.cli.app import main
from pgqueue.job import JobState, NewJob
from pgqueue.migrate import migrate
from pgqueue.outcome import Move, Settlement
from pgqueue.store import (
    awaiting,
    by_name,
    dead,
    enqueueing,
    execute,
    history,
    jobs,
    listing,
    locks,
    queues,
    reading,
    reports,
    routes,
    schema,
    storable,
    unknown,
    wakeups,
    workers,
)
from pgqueue.store.connection import open_connection
from tests import factories
from tests.hostile import (
    bringing,
    encrypting,
    falling,
    lasting,
    looking_on,
    moving,
    remembering,
    rules,
    seeing,
    signing,
    staffing,
    steering,
    telling,
    tenanting,
    trying,
)
from tests.hostile.flowing import workflows_on
from tests.hostile.planting import plant, stung
from tests.hostile.workflows_seen import workflows_seen_on, workflows_written_on
from tests.postgres import Databases
from tests.store.test_by_hand import forge
from tests.worker.running import Desk, ThreadedWorker

MODULES = [import_module(found.name) for found in iter_modules(store.__path__, "pgqueue.store.")]
# The first is everybody's; under the second even what matches exactly is found in `public`.
PATHS = ('"$user", public', "public, pg_catalog")


@pytest.fixture(scope="module")
def planted(databases: Databases) -> Iterator[str]:
    """The DSN of a database in whose `public` everything is planted, and was before pgqueue came."""
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    with psycopg.connect(dsn) as conn:
        conn.execute("drop schema pgqueue cascade")
    assert plant(dsn, f"stranger_{name}") > 500
    assert migrate(make_conninfo(dsn, options=f"-c search_path={PATHS[1].replace(' ', '')}"))
    yield dsn
    databases.drop(name)
    with psycopg.connect(databases.server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("drop role {}").format(sql.Identifier(f"stranger_{name}")))


@pytest.fixture(params=PATHS)
def lured(planted: str, request: pytest.FixtureRequest) -> str:
    """A DSN whose sessions look into `public`."""
    return make_conninfo(planted, options="-c search_path=" + request.param.replace(" ", ""))


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of all statements that were asked for."""
    names: set[str] = set()

    def noted(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(make)
        def note(*args: Any, **options: Any) -> Any:
            names.add(name)
            return make(*args, **options)

        return note

    for module in MODULES:
        for name in statements(module):
            monkeypatch.setattr(module, name, noted(f"{module.__name__}.{name}", getattr(module, name)))
    return names


def statements(module: ModuleType) -> list[str]:
    """The functions of a module that answer a Statement."""
    return [
        name
        for name, made in inspect.getmembers(module, inspect.isfunction)
        if made.__module__ == module.__name__
        and not name.startswith("_")
        and str(inspect.signature(made).return_annotation).startswith("Statement")
    ]


def test_what_is_planted_is_found_by_others(lured: str, planted: str) -> None:
    """The planting itself works: a statement that is not ours meets it."""
    with psycopg.connect(lured) as conn, pytest.raises(psycopg.errors.RaiseException, match="planted cardinality"):
        conn.execute("select cardinality(array['00000000-0000-0000-0000-000000000000'::pg_catalog.uuid])")
    with psycopg.connect(planted) as conn:
        conn.execute("select pg_catalog.setval('public.stings', 1, false)")


def test_no_move_and_no_question_calls_what_is_planted(lured: str, planted: str, used: set[str]) -> None:
    with psycopg.connect(planted, autocommit=True) as admin:
        admin.execute("select pg_stat_reset()")
        name = sql.Identifier(admin.info.dbname)
        admin.execute(sql.SQL("alter database {} set track_functions = 'all'").format(name))
    with psycopg.connect(lured, autocommit=True) as theirs:
        on_a_connection_of_the_caller(theirs)
    with open_connection(lured, "test") as ours:
        on_a_connection_of_ours(ours)
    assert not stung(planted)
    every = {f"{module.__name__}.{name}" for module in MODULES for name in statements(module)}
    assert every - used == set(), "ask them above, too"
    with psycopg.connect(planted) as admin:
        uncalled = [name for (name,) in admin.execute(_UNCALLED)]
        assert not uncalled, f"have them called above, too: {uncalled}"


# What PostgreSQL writes into the statement that asks is not counted, nor is what always raises; `readable` is for other
# encodings.
_UNCALLED = """
select p.proname from pg_proc as p
where p.pronamespace = 'pgqueue'::regnamespace
  and p.proname <> all ('{is_heard,is_like,is_paused,uuid7,uuid7_floor,fault_in_options,labels_of_tick,readable}')
  and p.proname <> all ('{refuse_busy,refuse_large,refuse_limit,said_by_job}')
  and p.proname not in ('seconds_since', 'tallied', 'acting_role', 'is_bounded', 'sees_payloads')
  and p.proname not in ('tenant_key', 'is_tenant_key', 'is_tenant_name')
  and p.oid not in (select f.funcid from pg_stat_user_functions as f)
"""


def on_a_connection_of_the_caller(conn: psycopg.Connection[Any]) -> None:
    """All that a program may ask on a connection whose search_path is its own."""
    schema.require_schema(conn)
    target = factories.TARGET
    every = {
        "delay": 3600,
        "timeout": 9,
        "max_attempts": 3,
        "limit_key": "l",
        "store_result": True,
        "labels": {"a": "b"},
    }
    job = pgqueue.enqueue(conn, target, [1], queue="q", priority=3, **every).id
    pgqueue.enqueue(conn, target, run_at=factories.BEGINNING, queue="kept")
    assert not pgqueue.enqueue(conn, target, job_id=job).created
    pgqueue.enqueue(conn, target, ttl=60, queue="kept", notify="off")
    pgqueue.enqueue_many(conn, [NewJob(target, queue="kept", delay=3, notify="off")] * 2)
    conn.execute("select pgqueue.knows(array['blog'::pg_catalog.text], 'blog.tasks:send')")
    given = pgqueue.enqueue(conn, target, job_id=uuid4(), ttl=60, unique_key="k", queue="kept").id
    assert pgqueue.enqueue(conn, target, unique_key="k").id == given
    pgqueue.enqueue_many(conn, [NewJob(target, queue="kept", ttl=9), NewJob(target, queue="kept", delay=3)])
    pgqueue.enqueue_many(
        conn,
        [NewJob(target, unique_key=key, job_id=uuid4(), queue="kept") for key in "ab"]
        + [NewJob(target, unique_key="k")],
    )
    pgqueue.enqueue_many(conn, [NewJob(target, [1], queue="kept", labels={"a": "b"})] * 200)
    keyed = NewJob(target, queue="kept", unique_key="v", unique_until="start", unique_for=60, on_conflict="replace")
    for _ in range(2):
        pgqueue.enqueue_many(conn, [keyed, NewJob(target, queue="kept", unique="args", on_conflict="keep")])
    conn.execute("select pgqueue.enqueue_unique('shop.tasks:send', '{\"a\": [\"b\"]}', on_conflict => 'replace')")
    conn.execute(
        "select pgqueue.enqueue('shop.tasks:send', '{}', delay => '1 hour', unique_key => 'sql', labels => '{}')"
    )
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="priority must be from 0 to 9"):
        conn.execute("select pgqueue.enqueue('shop.tasks:send', '{}', priority => 10)")
    assert pgqueue.get_job(conn, job).state == "scheduled"
    assert pgqueue.retry(conn, job)
    assert pgqueue.cancel(conn, job)
    assert pgqueue.attempts(conn, job)[0].outcome == "cancelled"
    with pytest.raises(pgqueue.JobFailed):
        pgqueue.result(conn, job, timeout=1)
    with conn.transaction():
        assert [each.state for each in pgqueue.wait_many(conn, [job, uuid4()], timeout=1)] == ["cancelled", None]
    conn.execute("select * from pgqueue.job").fetchall()
    conn.execute("select * from pgqueue.queue_stats").fetchall()
    looking_on.headed_on(conn)
    remembering.done_once_on(conn)
    encrypting.signalled_on(conn)
    workflows_written_on(conn)


def on_a_connection_of_ours(conn: psycopg.Connection[Any]) -> None:
    """All that a worker and the command line ask."""
    schema.require_schema(conn)
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("insert into pgqueue.jobs (id, target, claim) values (pgqueue.uuid7(), 'a:b', 7)")
    for hungry in (None, ["default"]):
        execute(conn, wakeups.hungry(hungry))
        factories.enqueue(conn, queue="woken")
        execute(conn, enqueueing.enqueue_many([NewJob(factories.TARGET, queue="woken")]))
        execute(conn, wakeups.fed())
    execute(conn, wakeups.listen("pgqueue"))
    execute(conn, wakeups.self_test("pgqueue"))
    worker = factories.enlist(conn)
    factories.claim(conn, worker, 1, "nothing here")
    factories.fill(conn, 20)
    encrypting.rotated_on(conn)
    execute(conn, workers.declare(worker, ["a:b"]))
    assert execute(conn, workers.heartbeat(worker, timedelta(seconds=30))).alive
    assert execute(conn, workers.ask(worker, "resume"))
    taken = factories.claim(conn, worker, 10, "default", "woken")
    stored = [factories.success(taken[0], "1"), factories.success(taken[1])]
    execute(conn, jobs.step(worker, stored, factories.slots(), timedelta(seconds=1), 2))
    forge(conn, taken[2].id)
    factories.fail(conn, taken[2])
    factories.fail(conn, taken[3], None)
    factories.release(conn, taken[4])
    factories.fail(conn, taken[4])
    assert execute(conn, jobs.standing(worker, stored[:0])) == frozenset()
    assert execute(conn, jobs.complete(taken[5], "1"))
    execute(conn, locks.locked(worker, [taken[6].id]))
    assert execute(conn, jobs.cancel(taken[6].id)) is JobState.RUNNING
    factories.fail(conn, taken[6])
    assert execute(conn, jobs.retry(taken[3].id)) is JobState.READY
    assert execute(conn, jobs.claim_one(worker, taken[3].id)) is not None
    factories.disown(conn, worker, taken)
    factories.expire(conn, worker)
    execute(conn, jobs.late(worker, stored))
    factories.step(conn, worker, taken[7:8], 0)
    execute(conn, workers.reap(telling=True))
    execute(conn, workers.reap_orphans())
    execute(conn, awaiting.ended_among([taken[0].id]))
    execute(conn, workers.discharge(worker, clean=False))
    execute(conn, workers.prune(timedelta(days=1), timedelta(days=1)))
    execute(conn, queues.pause("default"))
    execute(conn, queues.resume("default"))
    buried = factories.make(conn, JobState.DEAD, queue="buried")
    assert execute(conn, dead.lost([buried]))
    execute(conn, dead.retry_batch("buried", factories.TARGET, None, 10))
    now = execute(conn, dead.moment_before(timedelta(0)))
    execute(conn, dead.count("buried", factories.TARGET, now, 10))
    execute(conn, dead.purge_batch("buried", factories.TARGET, now, None, 10))
    conn.execute("select pgqueue.purge_dead('buried', null, now(), 10)")
    for question in (
        queues.names(),
        queues.depths(),
        queues.behind("", 9),
        queues.fullest(9),
        workers.holders(9),
        workers.rows(),
        reports.estimates(),
    ):
        execute(conn, question)
    execute(conn, storable.result("1"))
    execute(conn, locks.holders())
    execute(conn, history.hanging_commit())
    execute(conn, storable.texts("a", "b", None))
    waiting = [factories.enqueue(conn), factories.enqueue(conn)]
    execute(conn, by_name.due(factories.enlist(conn), factories.slots(), timedelta(0), 2, [buried]))
    execute(conn, by_name.claim(factories.enlist(conn), waiting[:1], factories.slots(), 0))
    assert execute(conn, by_name.bury(waiting[1], "a", "b"))
    execute(conn, queues.first(5))
    execute(conn, queues.heads("", 0, 5))
    execute(conn, queues.heads_of(["default"]))
    execute(conn, queues.set_settings(queues.Settings("q", 1.0, 2, 3, 4.0)))
    execute(conn, queues.settings())
    execute(conn, queues.unset("q", ["priority", "ageing"]))
    execute(conn, routes.put("a:*", "q"))
    execute(conn, routes.rows())
    pgqueue.enqueue_many(conn, [pgqueue.NewJob(factories.TARGET)])
    execute(conn, routes.remove("a:*"))
    execute(conn, queues.order_slots(factories.slots(), timedelta(0), range(10), [60.0] * 10))
    execute(conn, queues.set_notify("silent", "off"))
    execute(conn, queues.set_notify("silent", "idle"))
    execute(conn, reading.ids_between(buried, buried))
    execute(conn, schema.revision())
    execute(conn, reports.server_version())
    strange = factories.enlist(conn)
    execute(conn, unknown.declare_targets(strange, ["blog"], timedelta(days=7)))
    unfound = factories.claim_one(conn, worker=strange)
    execute(conn, unknown.park(strange, [Settlement(unfound.id, unfound.claim, Move.PARK, "released")]))
    execute(conn, unknown.recall(strange, forget=True))
    execute(conn, unknown.parked_since(unfound.id))
    execute(conn, unknown.count_parked(10))
    execute(conn, unknown.live_targets())
    execute(conn, history.timeline())
    execute(conn, workers.overdue(0, None, "here", timedelta(0)))
    for states in (frozenset(JobState), frozenset({JobState.RUNNING})):
        assert listing.page(conn, listing.Asked(states=states))
        assert listing.page(conn, listing.Asked(states=states, queue="q", target=factories.TARGET, before=buried))
    for asked in (schema.has_namespace(), schema.strangers(), schema.lock_out_vacuum(), schema.lock_all()):
        execute(conn, asked)
    execute(conn, schema.fix_search_paths())
    factories.step_as_before(conn, factories.enlist(conn), 0)
    execute(conn, schema.lock_holders())
    execute(conn, reading.result(taken[0].id))
    rules.schedules_on(conn)
    rules.limits_on(conn)
    workflows_on(conn)
    workflows_seen_on(conn)
    rules.feeds_on(conn)
    remembering.done_once_on(conn)
    remembering.reserved_on(conn)
    seeing.seen_on(conn)
    steering.steered_on(conn)
    telling.told_on(conn)
    looking_on.looked_on(conn)
    looking_on.hidden_on(conn)
    looking_on.explained_on(conn)
    looking_on.followed_on(conn)
    looking_on.asked_as_before_on(conn)
    bringing.brought_on(conn)
    falling.fallen_on(conn)
    lasting.lasting_on(conn)
    trying.tried_on(conn)
    tenanting.tenants_on(conn)
    signing.signed_on(conn)
    moving.partitioned_on(conn)
    moving.moved_in_on(conn)
    staffing.staffed_on(conn)
    staffing.rights_of_jobs_on(conn)
    staffing.migration_looked_at_on(conn)


def test_a_worker_calls_nothing_that_is_planted(lured: str, planted: str) -> None:
    with psycopg.connect(planted, autocommit=True) as conn:
        desk = Desk(conn)
        conn.execute("drop table if exists effects, unique_effects")
        desk.make_effects()
        worker = ThreadedWorker(lured, executor="thread", concurrency=2, poll=0.2, lease=2)
        sent = [desk.send("effect", 1, 0.0), desk.send("work", store_result=True), desk.send("work", ttl=60)]
        for job in sent:
            assert desk.await_state(job, timeout=20).state == "succeeded"
        desk.await_state(desk.send("fail_until", 2), "succeeded", timeout=20)
        assert worker.stop() == 0
    assert not stung(planted)


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "jobs list",
        "dead list",
        "queues list",
        "workers list",
        "queues pause q",
        "dead purge --yes",
        "migrate",
    ],
)
def test_no_command_calls_what_is_planted(
    lured: str, planted: str, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PGQUEUE_DSN", lured)
    monkeypatch.setattr("sys.argv", ["pgqueue", *command.split()])
    with psycopg.connect(planted) as conn:
        # So that migrate has something to do.
        conn.execute("comment on schema pgqueue is 'functions of another release'")
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code, capsys.readouterr().err
    assert not stung(planted)


def test_every_function_looks_names_up_in_pg_catalog_alone(planted: str) -> None:
    """Either it says so, or what it calls was bound when it was made; one that an earlier release left, too."""
    with psycopg.connect(planted) as conn:
        conn.execute("create function pgqueue.of_before(_ids uuid[]) returns int language sql as 'select 1'")
        conn.execute("create procedure pgqueue.of_before() language sql set jit = off as 'select 1'")
        conn.execute("alter function pgqueue.readable(text) reset search_path")
        conn.execute("comment on schema pgqueue is 'functions of another release'")
    assert migrate(planted) is True
    with psycopg.connect(planted) as conn:
        loose = conn.execute(
            "select p.proname from pg_proc as p where p.pronamespace = 'pgqueue'::regnamespace and p.prosqlbody is null"
            " and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)"
        )
        assert loose.fetchall() == []


def test_nothing_of_ours_depends_on_what_is_not(planted: str) -> None:
    """Views, defaults, checks and bound bodies: what pg_catalog itself has is not noted as a dependency."""
    with psycopg.connect(planted) as conn:
        assert conn.execute(_OUTSIDE).fetchall() == []


_OUTSIDE = """
with ours as (
  select distinct d.classid, d.objid from pg_depend as d
  where d.refclassid = 'pg_namespace'::regclass and d.refobjid = 'pgqueue'::regnamespace
), parts as (
  -- A view's text is its rule, a default its column's, a check its table's.
  select classid, objid from ours
  union
  select d.classid, d.objid from pg_depend as d join ours on (d.refclassid, d.refobjid) = (ours.classid, ours.objid)
)
select pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
from parts
join pg_depend as d on (d.classid, d.objid) = (parts.classid, parts.objid)
where d.deptype in ('n', 'a')
  and (d.refclassid = 'pg_proc'::regclass
       and d.refobjid not in (select oid from pg_proc where pronamespace = 'pgqueue'::regnamespace)
    or d.refclassid = 'pg_operator'::regclass
    or d.refclassid = 'pg_type'::regclass
       and d.refobjid not in (select oid from pg_type where typnamespace = 'pgqueue'::regnamespace)
    or d.refclassid = 'pg_class'::regclass
       and d.refobjid not in (select oid from pg_class
                              where relnamespace in ('pgqueue'::regnamespace, 'pg_toast'::regnamespace)))
"""
