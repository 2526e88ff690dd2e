"""A login that is a worker runs jobs of each kind and all the chores; all that the store asks is open to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgqueue
from pgqueue.client import enqueue
from pgqueue.events import DatabaseLost, Trouble
from pgqueue.granting import make_roles
from pgqueue.store.rights import PARTS
from tests.hostile import bringing, falling, lasting, looking_on, remembering, seeing
from tests.hostile.flowing import workflows_on
from tests.hostile.workflows_seen import workflows_seen_on, workflows_written_on
from tests.roles.conftest import Staffed, forget_roles
from tests.worker.conftest import desk
from tests.worker.errands import awaiting, work
from tests.worker.running import Desk, ThreadedWorker

__all__ = ["desk"]


@pytest.fixture
def logins(desk: Desk, dsn: str) -> Iterator[dict[str, str]]:
    """DSNs of a producer and of a worker, in the test's own database."""
    name = str(conninfo_to_dict(dsn)["dbname"])
    make_roles(dsn, name)
    made = {part: f"{name}_some_{part}" for part in ("producer", "worker")}
    for part, login in made.items():
        words = sql.SQL("create role {} login in role {}")
        desk.conn.execute(words.format(sql.Identifier(login), sql.Identifier(f"{name}_{part}")))
    desk.conn.execute(f"grant all on effects, unique_effects to {name}_worker")
    yield {part: make_conninfo(dsn, user=login) for part, login in made.items()}
    for role in (*made.values(), *(f"{name}_{part}" for part in PARTS if part != "migrator")):
        desk.conn.execute(f"drop owned by {role}")
    desk.conn.execute(f"reassign owned by {name}_migrator to current_user; drop owned by {name}_migrator")
    forget_roles(dsn, [*made.values(), *(f"{name}_{part}" for part in PARTS)])


def test_a_worker_runs_what_a_producer_enqueues(desk: Desk, logins: dict[str, str]) -> None:
    """Jobs of each kind, schedules, workflows, durable functions, limits; and no chore fails."""
    worker = ThreadedWorker(logins["worker"], executor="thread", concurrency=2, poll=0.2, lease=2)
    try:
        with psycopg.connect(logins["producer"], autocommit=True) as conn:
            made = [
                enqueue(conn, work, limit_key="l").id,
                enqueue(conn, work, unique_key="k", ttl=60, labels={"a": "b"}).id,
                enqueue(conn, work, store_result=True).id,
                enqueue(conn, "tests.worker.errands:effect", [1, 0.2]).id,
            ]
            failing = enqueue(conn, "tests.worker.errands:fail_until", [2]).id
            started = pgqueue.chain(work.job(), work.job()).enqueue(conn)
            durable = enqueue(conn, awaiting).id
        desk.conn.execute("select pgqueue.set_limit('key', 'l*', concurrency => 1)")
        desk.conn.execute("select pgqueue.schedule('often', 'tests.worker.errands:work', every => '1 second')")
        for job in (*made, failing):
            assert desk.await_state(job, "succeeded", timeout=20)
        assert pgqueue.wait_workflow(desk.conn, started, timeout=20).state == "succeeded"
        assert pgqueue.signal(desk.conn, durable, "go", 1)
        assert desk.await_state(durable, "succeeded", timeout=20)
    finally:
        assert worker.stop() == 0
    assert [trouble for trouble in worker.heard(Trouble) if trouble.role != "worker"] == []
    assert worker.heard(DatabaseLost) == []
    assert desk.workers() == []


def test_all_that_a_worker_may_ask_it_may(staffed: Staffed) -> None:
    """The same statements that are asked where strangers have planted functions."""
    with staffed.connect("worker") as conn:
        conn.execute("set search_path = pg_catalog")
        every: Any
        for every in (
            workflows_on,
            workflows_written_on,
            workflows_seen_on,
            remembering.done_once_on,
            remembering.reserved_on,
            seeing.seen_on,
            looking_on.headed_on,
            looking_on.looked_on,
            looking_on.hidden_on,
            bringing.brought_on,
            falling.fallen_on,
            lasting.lasting_on,
        ):
            every(conn)


@pytest.mark.parametrize(
    "question",
    [
        "insert into pgqueue.alert_channels (name, kind, settings) values ('a', 'webhook', '{}')",
        "delete from pgqueue.alert_rules",
        "update pgqueue.alembic_version set version_num = '9999'",
        "update pgqueue.roles set role = current_user",
        "update pgqueue.audit set who = 'somebody else'",
        "truncate pgqueue.audit",
        "select pgqueue.set_queue('q', max_attempts => 1)",
        "select pgqueue.set_route('a:*', 'q')",
        "select pgqueue.give_rights('[]', '[]')",
        "alter table pgqueue.jobs disable trigger all",
        "create table pgqueue.mine ()",
        "drop table pgqueue.jobs",
    ],
)
def test_a_worker_changes_nothing_that_is_for_people(staffed: Staffed, question: str) -> None:
    with staffed.connect("worker") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(question)
