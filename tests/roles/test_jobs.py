"""Jobs that log in as somebody of their own (`job_dsn`): what they may do, and that they are settled all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgqueue.errors import UsageError
from pgqueue.store import execute, jobs, reading, workers
from pgqueue.worker import Worker
from tests.roles.conftest import Staffed
from tests.waiting import wait_until
from tests.worker import bounded_tasks
from tests.worker.running import Desk, ThreadedWorker

TASKS = bounded_tasks.__name__


@pytest.fixture(scope="module")
def desk(staffed: Staffed) -> Iterator[Desk]:
    """The superuser's own connection, beside a worker whose jobs log in apart."""
    desk = Desk(staffed.conn)
    desk.make_effects()
    staffed.conn.execute("create table told (who text)")
    words = sql.SQL("grant insert on effects, told to {}").format(sql.Identifier(staffed.role("job")))
    staffed.conn.execute(words)
    given = {"executor": "thread", "concurrency": 1, "app": [TASKS], "queues": ["default"]}
    worker = ThreadedWorker(staffed.logins["worker"], job_dsn=staffed.logins["job"], **given)
    yield desk
    assert worker.stop() == 0


@pytest.fixture
def login(staffed: Staffed) -> str:
    return str(conninfo_to_dict(staffed.logins["job"])["user"])


def result(desk: Desk, target: str, *args: Any) -> Any:
    job = desk.await_state(desk.send(f"{TASKS}:{target}", *args))
    assert job.state == "succeeded", desk.errors(job.id)
    return execute(desk.conn, reading.result(job.id))[1]


def test_a_transactional_job_has_its_own_login_and_is_settled(desk: Desk, login: str) -> None:
    for target in ("look", "look_async"):
        assert result(desk, target) == {"who": login, "reads_jobs": False}
    result(desk, "by_units", 3)
    result(desk, "by_units_async", 3)
    desk.check_effects([0, 0, 1, 1, 1, 1, 2, 2])
    assert desk.values("select who from told") == [login] * 6
    desk.conn.execute("truncate told")


def test_no_way_of_sql_leads_to_the_rights_of_the_worker(desk: Desk, staffed: Staffed) -> None:
    worker = conninfo_to_dict(staffed.logins["worker"])["user"]
    found = result(desk, "look_for_more", worker)
    assert found == dict.fromkeys(found, False)
    assert len(found) == 5


def test_what_it_leaves_for_the_commit_has_no_other_rights_either(desk: Desk, login: str) -> None:
    result(desk, "leave_a_trigger")
    result(desk, "leave_a_cursor")
    assert set(desk.values("select who from told")) == {login}


def test_it_settles_no_job_but_its_own(desk: Desk) -> None:
    other = desk.send("elsewhere:job", queue="elsewhere")
    execute(desk.conn, workers.enlist(4711, "here", 1, [], "foreground", 1, timedelta(minutes=1), frozenset()))
    claim = execute(desk.conn, jobs.claim_one(4711, other))
    assert claim is not None
    result(desk, "settle_another", str(other), claim.claim)
    assert desk.job(other).state == "running"
    assert desk.one("select count(*) from pgqueue.checkpoints where job_id = %s", other) == 0
    assert desk.one("select count(*) from pgqueue.steps where job_id = %s", other) == 0


def test_it_enqueues_once_its_login_is_a_producer(desk: Desk, staffed: Staffed, login: str) -> None:
    refused = desk.await_state(desk.send(f"{TASKS}:enqueue_another", max_attempts=1))
    assert refused.state == "dead"
    assert "permission denied" in (refused.last_error or "")
    words = sql.SQL("{} {} {} {}")
    role, member = sql.Identifier(staffed.role("producer")), sql.Identifier(login)
    desk.conn.execute(words.format(sql.SQL("grant"), role, sql.SQL("to"), member))
    result(desk, "enqueue_another")
    assert result(desk, "look_at_home") == login
    waiting = "select count(*) = 0 from pgqueue.jobs where target = %s"
    wait_until(lambda: desk.one(waiting, f"{TASKS}:look"), 10, "the jobs that were enqueued")
    desk.conn.execute(words.format(sql.SQL("revoke"), role, sql.SQL("from"), member))


def test_a_job_completes_itself_on_a_connection_of_its_own(desk: Desk) -> None:
    result(desk, "complete_by_itself")


def test_a_login_that_cannot_settle_is_told_at_the_start(staffed: Staffed, desk: Desk) -> None:
    for part, why in (("reader", "cannot settle them.*grant pgqueue_job to"), ("producer", "cannot settle them")):
        with pytest.raises(UsageError, match=why):
            started(staffed, staffed.logins[part])
    with pytest.raises(UsageError, match="is a superuser"):
        started(staffed, staffed.dsn)
    with pytest.raises(UsageError, match="leads to another database"):
        started(staffed, make_conninfo(staffed.dsn, dbname="postgres"))


def started(staffed: Staffed, job_dsn: str) -> None:
    Worker(staffed.logins["worker"], app=[TASKS], executor="thread", job_dsn=job_dsn, observers=[], burst=True).run()
