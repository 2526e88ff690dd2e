"""A role without rights but those of the guide, and roles whose settings suit other programs: the work goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgqueue
from pgqueue.client import cancel, enqueue, enqueue_many, get_job
from pgqueue.events import DatabaseLost, Trouble
from pgqueue.job import NewJob
from tests.limits import rule
from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.worker.errands import adding, awaiting, work
from tests.worker.running import Desk, StartThreaded, ThreadedWorker

GUIDE = (ROOT / "docs" / "guides" / "roles.md").read_text()
ROLES = ("shop_worker", "shop_web", "shop_viewer")

TINY = {
    "statement_timeout": "100ms",
    "lock_timeout": "10ms",
    "idle_in_transaction_session_timeout": "50ms",
    "idle_session_timeout": "100ms",
}
STRICT = {
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "default_transaction_deferrable": "on",
}
ODD = {
    "search_path": "",
    "row_security": "off",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Kathmandu",
    "client_encoding": "LATIN1",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "extra_float_digits": "-15",
    "transform_null_equals": "on",
    "default_statistics_target": "1",
    "enable_indexscan": "off",
}
EACH = [{name: value} for group in (TINY, STRICT, ODD) for name, value in group.items()]
EACH.append({"default_transaction_isolation": "repeatable read"})


@pytest.fixture
def roles(desk: Desk, dsn: str) -> Iterator[dict[str, str]]:
    """The roles of the guide with the rights that it gives them; answers a DSN for each."""
    (script,) = re.findall(r"```sql\n(create role shop_worker login.*?)```", GUIDE, re.DOTALL)
    # Roles belong to the server, and other tests run on it.
    names = {role: f"{role}_{conninfo_to_dict(dsn)['dbname']}" for role in ROLES}
    for role, name in names.items():
        script = script.replace(role, name)
    desk.conn.execute(script)
    desk.conn.execute(f"grant all on effects, unique_effects to {names['shop_worker']}")
    yield {role: make_conninfo(dsn, user=name) for role, name in names.items()}
    for name in names.values():
        desk.conn.execute(f"drop owned by {name}")
        desk.conn.execute(f"drop role {name}")


def run_all(desk: Desk, start: StartThreaded | None, dsn: str) -> ThreadedWorker:
    """Let a worker run one job of each kind, each to its end without a failure that was not asked for."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("set default_transaction_read_only = off")
        ids = [enqueue(conn, work).id, enqueue(conn, work, [0.3], unique_key="k", ttl=60, labels={"a": "b"}).id]
    effects = [desk.send("effect", 1, 0.2), desk.send("effect_async", 2, 0.2)]
    rule(desk.conn, "key", "l*", concurrency=1, starts=100, period=1.0)
    effects += [desk.send("work", limit_key="l") for _ in range(2)]
    failing = desk.send("fail_until", 2)
    worker = start(executor="thread", concurrency=2, poll=0.2) if start else ThreadedWorker(dsn, executor="thread")
    try:
        for job_id in (*ids, *effects):
            assert desk.await_state(job_id, timeout=20).state == "succeeded"
            assert [outcome for outcome in desk.outcomes(job_id) if outcome != "released"] == ["succeeded"]
        desk.await_state(failing, "succeeded", timeout=20)
    finally:
        assert worker.stop() == 0
    assert [trouble for trouble in worker.heard(Trouble) if trouble.role != "worker"] == []
    assert desk.workers() == []
    return worker


def set_role(desk: Desk, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        words = "alter role current_user in database {} set {} to {}"
        database = sql.Identifier(desk.conn.info.dbname)
        desk.conn.execute(sql.SQL(words).format(database, sql.Identifier(name), sql.Literal(value)))


def test_a_worker_needs_no_rights_but_those_of_the_guide(desk: Desk, roles: dict[str, str]) -> None:
    worker = run_all(desk, None, roles["shop_worker"])
    assert worker.heard(DatabaseLost) == []


def test_who_may_enqueue_may_do_nothing_else(desk: Desk, roles: dict[str, str]) -> None:
    with psycopg.connect(roles["shop_web"], autocommit=True) as conn:
        job = enqueue(conn, work, unique_key="k")
        assert not enqueue(conn, work, unique_key="k").created
        assert get_job(conn, job.id).state == "ready"
        options: dict[str, Any] = {"unique": "args", "unique_until": "start", "unique_for": 60}
        assert enqueue(conn, work, [1], **options).created
        assert not enqueue(conn, work, [1], **options).created
        assert enqueue(conn, work, [1], **options, on_conflict="replace", priority=7).replaced
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            cancel(conn, job.id)
        enqueue_many(conn, [NewJob(work, labels={"a": "b"}, timeout=9, max_attempts=2, limit_key="l")] * 200)
        for column in ("worker", "claim", "attempt", "crashes", "started_at", "created_at", "avoid_host"):
            words = sql.SQL("insert into pgqueue.jobs (id, target, {}) values (pgqueue.uuid7(), 'a:b', null)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(words.format(sql.Identifier(column)))
    with psycopg.connect(roles["shop_viewer"], autocommit=True) as conn:
        assert get_job(conn, job.id).state == "ready"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            enqueue(conn, work)


def test_who_may_enqueue_makes_workflows_and_signals_and_ends_none(desk: Desk, roles: dict[str, str]) -> None:
    """With the worker's rights alone their jobs run, and what they add."""
    with psycopg.connect(roles["shop_web"], autocommit=True) as conn:
        whole = pgqueue.Workflow("whole", unique_key="w")
        first = whole.add(work)
        whole.add(pgqueue.group([work.job(), adding.job()], then=work.job()), after=[first])
        whole.on_end(work)
        started = [whole.enqueue(conn), pgqueue.chain(work.job(), work.job()).enqueue(conn, unique_key="c")]
        assert not pgqueue.chain(work.job()).enqueue(conn, unique_key="c").created
        opened = pgqueue.open_group(conn, "opened", on_complete=work.job())
        opened.add(conn, work.job(), work.job())
        opened.close(conn)
        nodes = json.dumps([{"name": "a", "target": "tests.worker.errands:work", "args": [0]}])
        (by_hand,) = conn.execute("select pgqueue.enqueue_workflow('by hand', %s)", [nodes]).fetchone() or (None,)
        waiting = enqueue(conn, awaiting)
        assert pgqueue.signal(conn, waiting, "go", 1)
        held = pgqueue.chain(work.job(), work.job()).enqueue(conn)
        for act in (pgqueue.cancel_workflow, pgqueue.retry_workflow):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                act(conn, held)
    worker = ThreadedWorker(roles["shop_worker"], executor="thread", concurrency=2, poll=0.2)
    try:
        with psycopg.connect(roles["shop_viewer"], autocommit=True) as conn:
            for workflow in (*started, opened.id, by_hand, held):
                assert pgqueue.wait_workflow(conn, workflow, timeout=20).state == "succeeded"
        assert desk.await_state(waiting.id, timeout=20).state == "succeeded"
    finally:
        assert worker.stop() == 0
    assert [trouble for trouble in worker.heard(Trouble) if trouble.role != "worker"] == []


def test_settings_of_a_role_that_suit_other_programs_change_nothing(desk: Desk, start: StartThreaded, dsn: str) -> None:
    set_role(desk, STRICT | ODD)
    run_all(desk, start, dsn)


@pytest.mark.faults
@pytest.mark.parametrize("settings", [*EACH, TINY], ids=lambda settings: ",".join(settings))
def test_each_setting_of_a_role_changes_nothing(
    desk: Desk, start: StartThreaded, dsn: str, settings: dict[str, str]
) -> None:
    set_role(desk, settings)
    run_all(desk, start, dsn)


@pytest.mark.faults
def test_a_role_whose_connections_are_used_up_is_waited_for(desk: Desk, roles: dict[str, str]) -> None:
    worker = ThreadedWorker(roles["shop_worker"], executor="thread", poll=0.2)
    name = conninfo_to_dict(roles["shop_worker"])["user"]
    try:
        wait_until(desk.workers)
        desk.conn.execute(f"alter role {name} connection limit 0")
        desk.conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [name])
        job_id = desk.send("work")
        wait_until(lambda: any("too many connections" in lost.error for lost in worker.heard(DatabaseLost)))
        desk.conn.execute(f"alter role {name} connection limit -1")
        assert desk.await_state(job_id, timeout=20).state == "succeeded"
    finally:
        assert worker.stop() == 0
