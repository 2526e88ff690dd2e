"""Transactional jobs that misuse the connection they are lent: under every kind of executor."""

from __future__ import annotations

import pytest

import pgqueue
from tests.hostile.arena import PATIENCE, Arena
from tests.waiting import wait_until


def written(arena: Arena) -> list[int]:
    """What hostile jobs have written since the last look."""
    values = arena.desk.values("select value from effects where value between 1 and 9 order by value")
    arena.desk.conn.execute("delete from effects where value between 1 and 9")
    return values


@pytest.mark.parametrize(
    "how", ["rollback and begin", "prepare transaction", "pipeline", "half a copy", "half a stream", "finish", "steal"]
)
def test_a_transaction_that_was_misused_is_rolled_back_and_never_a_success(arena: Arena, how: str) -> None:
    job = arena.meet("sessions:misuse", how)
    assert (job.state, arena.end_of(job)[0]) == ("dead", "failed")
    assert written(arena) == []
    # What somebody prepared is his to end, and a database with it cannot be dropped.
    for name in arena.desk.values("select gid from pg_prepared_xacts where database = current_database()"):
        arena.desk.conn.execute(f"rollback prepared '{name}'")


@pytest.mark.parametrize("how", ["commit and chain", "autocommit"])
def test_a_job_that_commits_by_itself_is_never_a_success(arena: Arena, how: str) -> None:
    job = arena.meet("sessions:misuse", how)
    assert arena.end_of(job) == ("failed", "pgqueue.errors.TransactionEnded")
    written(arena)


@pytest.mark.parametrize("how", ["role", "path", "authorization"])
def test_a_job_may_take_on_another_role_or_path(arena: Arena, how: str) -> None:
    arena.desk.conn.execute("drop role if exists hostile_nobody")
    assert arena.meet("sessions:keep_its_attitude", how).state == "succeeded", how
    assert written(arena) == [7]
    arena.desk.conn.execute("drop role if exists hostile_nobody")


def test_a_session_forgets_what_a_job_left_in_it(one_child: Arena) -> None:
    clean = one_child.result("sessions:look_at_session")
    assert one_child.result("sessions:soil_session") == clean[0]
    assert one_child.result("sessions:look_at_session") == clean


def test_a_coroutine_that_still_uses_the_connection_fails_its_job(arena: Arena) -> None:
    job = arena.meet("sessions:leave_a_coroutine_behind")
    assert arena.end_of(job) == ("failed", "pgqueue.errors.TransactionEnded")
    assert written(arena) == []


def test_a_job_that_deletes_its_own_row_hurts_nobody_else(arena: Arena) -> None:
    arena.desk.send("tests.hostile.nasty.sessions:delete_itself_outside", arena.dsn)
    arena.check_health()


@pytest.mark.parametrize("how", ["delete_itself", "take_itself_over", "delete_itself_and_complete"])
def test_a_job_that_removes_its_own_row_in_its_transaction_fails_and_ends(arena: Arena, how: str) -> None:
    job = arena.meet(f"sessions:{how}", arena.dsn, max_attempts=2)
    assert (job.state, job.reason, job.attempt) == ("dead", "exhausted", 2)
    assert arena.desk.outcomes(job.id) == ["failed", "failed"]
    assert all("changed its own row" in error for error in arena.desk.errors(job.id))
    assert written(arena) == []


def test_a_job_that_cancels_itself_and_returns_has_succeeded(arena: Arena) -> None:
    assert arena.meet("sessions:cancel_itself").state == "succeeded"


def test_completing_a_job_again_that_has_ended_changes_nothing(one_child: Arena) -> None:
    ended = one_child.meet("sessions:keep_its_context")
    job = one_child.meet("sessions:complete_for_another", one_child.dsn)
    assert one_child.end_of(job) == ("succeeded", None)
    assert one_child.desk.job(ended.id) == ended
    assert one_child.desk.outcomes(ended.id) == ["succeeded"]


@pytest.mark.parametrize("how", ["raises", "never yields"])
def test_a_middleware_that_does_not_let_a_job_begin_fails_it(arena: Arena, how: str) -> None:
    job = arena.meet("values:echo", 1, labels={"middleware": how})
    assert arena.end_of(job)[0] == "failed"


def test_a_middleware_that_yields_twice_fails_the_job_it_was_round(arena: Arena) -> None:
    job = arena.meet("values:echo", 1, labels={"middleware": "yields twice"})
    assert arena.end_of(job) == ("failed", "RuntimeError")


@pytest.mark.faults
def test_a_job_that_enqueues_100_000_jobs_holds_nobody_up(arena: Arena) -> None:
    assert arena.meet("sessions:enqueue_many", 100_000).state == "succeeded"
    assert arena.desk.one("select count(*) from pgqueue.jobs") == 100_000


@pytest.mark.parametrize(
    ("delay", "error"),
    [
        ("nan", "pgqueue.errors.OptionError: delay must be 0 or more seconds, got nan"),
        ("inf", "pgqueue.errors.OptionError: delay must be less than a century, got inf"),
        ("1e400", f"pgqueue.errors.OptionError: delay must be less than a century, got 1{'0' * 79}"),
    ],
)
def test_a_delay_that_is_no_time_is_an_error_of_the_job(arena: Arena, delay: str, error: str) -> None:
    job = arena.meet("values:raise_retry", delay)
    assert arena.desk.outcomes(job.id) == ["failed"]
    assert arena.desk.errors(job.id) == [error]


def test_a_delay_in_the_past_is_no_delay(arena: Arena) -> None:
    job = arena.meet("values:raise_retry", "-1", max_attempts=3)
    assert (job.state, job.reason) == ("dead", "exhausted")
    assert arena.desk.outcomes(job.id) == ["failed"] * 3


def test_a_job_that_snoozes_for_ever_uses_no_attempt_and_goes_on_until_it_is_cancelled(arena: Arena) -> None:
    job_id = arena.desk.send("tests.hostile.nasty.values:snooze", max_attempts=1)
    wait_until(lambda: arena.desk.outcomes(job_id).count("released") >= 5, PATIENCE)
    arena.check_health()
    assert arena.desk.job(job_id).attempt <= 1
    wait_until(lambda: pgqueue.cancel(arena.desk.conn, job_id) == "cancelled", PATIENCE)
    assert set(arena.desk.outcomes(job_id)) == {"released", "cancelled"}
