"""Transactional jobs with the rights of a role of their own: what they may do, what is settled, what starts at all."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from pgqueue.errors import OptionError, UsageError
from pgqueue.store import execute, reading
from pgqueue.worker import Worker
from tests.worker import bounded_tasks
from tests.worker.running import TWO_KINDS, Desk, StartThreaded

TASKS = bounded_tasks.__name__


@pytest.fixture
def role(desk: Desk) -> Iterator[str]:
    """A role that may write effects, and knows nothing of pgqueue."""
    name = f"job_{uuid4().hex[:12]}"
    desk.conn.execute(f"create role {name}")
    desk.conn.execute("create table told (who text)")
    desk.conn.execute(f"grant insert on effects, told to {name}")
    yield name
    desk.conn.execute(f"drop owned by {name}")
    desk.conn.execute(f"drop role {name}")


def result(desk: Desk, target: str, *args: object) -> object:
    job = desk.await_state(desk.send(f"{TASKS}:{target}", *args))
    assert job.state == "succeeded", desk.errors(job.id)
    return execute(desk.conn, reading.result(job.id))[1]


@pytest.mark.parametrize("executor", TWO_KINDS)
def test_a_transactional_job_has_the_rights_of_its_role_and_is_settled(
    desk: Desk, start: StartThreaded, role: str, executor: str
) -> None:
    start(executor=executor, app=[TASKS], job_role=role, concurrency=1)
    for target in ("look", "look_async", "look"):
        assert result(desk, target) == {"who": role, "reads_jobs": False}
    desk.check_effects([1, 1, 1])


def test_without_a_role_it_has_those_of_the_worker(desk: Desk, start: StartThreaded) -> None:
    start(executor="thread", app=[TASKS])
    login = desk.one("select current_user::text")
    assert result(desk, "look") == {"who": login, "reads_jobs": True}


def test_what_pgqueue_writes_in_its_transaction_needs_no_right_of_the_role(
    desk: Desk, start: StartThreaded, role: str
) -> None:
    start(executor="thread", app=[TASKS], job_role=role, concurrency=1)
    for _ in range(2):
        assert result(desk, "charge_once", "order:42") == [role] * 3
    desk.check_effects([1])


def test_the_role_is_taken_on_again_with_each_unit(desk: Desk, start: StartThreaded, role: str) -> None:
    start(executor="thread", app=[TASKS], job_role=role, concurrency=1)
    result(desk, "by_units", 3)
    result(desk, "by_units_async", 3)
    desk.check_effects([0, 0, 1, 1, 2, 2])
    assert desk.values("select who from told") == [role] * 6


def test_a_job_that_fails_leaves_its_role_to_the_next(desk: Desk, start: StartThreaded, role: str) -> None:
    start(executor="thread", app=[TASKS], job_role=role, concurrency=1)
    failed = desk.await_state(desk.send(f"{TASKS}:fail", max_attempts=1))
    assert failed.state == "dead"
    assert result(desk, "look") == {"who": role, "reads_jobs": False}
    desk.check_effects([1])


def test_what_a_job_leaves_for_the_commit_runs_with_its_own_rights_or_not_at_all(
    desk: Desk, start: StartThreaded, role: str
) -> None:
    start(executor="thread", app=[TASKS], job_role=role, concurrency=1)
    result(desk, "leave_a_trigger")
    assert desk.values("select who from told") == [role]
    result(desk, "leave_a_cursor")
    assert desk.values("select who from told") == [role]


def test_a_role_that_the_worker_cannot_take_on_is_told_at_its_start(dsn: str, role: str) -> None:
    with pytest.raises(UsageError, match=r"jobs cannot have the rights of 'nobody_at_all'.*grant nobody_at_all to"):
        Worker(dsn, app=[TASKS], job_role="nobody_at_all", executor="thread", observers=[]).run()


def test_a_superuser_is_no_role_for_jobs(desk: Desk, dsn: str) -> None:
    login = desk.one("select current_user::text")
    with pytest.raises(UsageError, match="is a superuser"):
        Worker(dsn, app=[TASKS], job_role=login, executor="thread", observers=[]).run()


def test_a_role_and_a_login_are_not_both_given(dsn: str) -> None:
    with pytest.raises(OptionError, match="job_dsn is a login of its own"):
        Worker(dsn, job_role="a", job_dsn=dsn)
    with pytest.raises(OptionError, match="job_dsn leads to one database"):
        Worker([dsn, dsn], job_dsn=dsn)
