"""A job that its host failed goes to another, and to the same one after a while."""

from __future__ import annotations

from datetime import timedelta

from pgqueue.job import Claim
from pgqueue.judge import judge
from pgqueue.outcome import Released, error_report
from pgqueue.store import execute, jobs, reading, workers
from tests.factories import Conn, claim, claim_one, enlist, fail, job, outcomes, worker_id

ILL = error_report("OSError", "[Errno 28] No space left on device")


def elsewhere(conn: Conn) -> int:
    """A worker on another host."""
    worker = worker_id()
    execute(conn, workers.enlist(worker, "there", 1, None, "thread", 1, timedelta(seconds=30)))
    return worker


def failed_by_its_host(conn: Conn, delay: float = 0.0) -> Claim:
    taken = claim_one(conn)
    release = judge(taken, Released(delay, error=ILL, avoid=True))
    assert execute(conn, jobs.release(taken.worker, [release])) == frozenset()
    return taken


def due_since(conn: Conn, seconds: float) -> None:
    conn.execute("update pgqueue.jobs set run_at = now() - make_interval(secs => %s)", [seconds])


def test_a_job_that_its_host_failed_is_given_back_with_its_attempt_and_the_error(db: Conn) -> None:
    taken = failed_by_its_host(db)
    (attempt,) = execute(db, reading.attempts(taken.id))
    assert (attempt.outcome, attempt.error_type, attempt.error) == ("released", ILL.type, ILL.message)
    assert (job(db, taken.id).state, job(db, taken.id).attempt) == ("ready", 0)
    assert ILL.message in (job(db, taken.id).last_error or "")


def test_a_job_that_its_host_failed_goes_to_another_host_at_once(db: Conn) -> None:
    taken = failed_by_its_host(db)
    assert claim(db, taken.worker) == []
    assert claim(db, enlist(db)) == []
    (again,) = claim(db, elsewhere(db))
    assert again.attempt == 1


def test_a_job_that_its_host_failed_returns_there_after_half_a_minute(db: Conn) -> None:
    taken = failed_by_its_host(db)
    due_since(db, 29)
    assert claim(db, taken.worker) == []
    due_since(db, 31)
    assert len(claim(db, taken.worker)) == 1


def test_what_another_host_took_over_avoids_nobody_any_more(db: Conn) -> None:
    taken = failed_by_its_host(db)
    (again,) = claim(db, elsewhere(db))
    fail(db, again)
    assert [each.id for each in claim(db, taken.worker)] == [taken.id]
    assert outcomes(db, taken.id) == ["released", "failed"]


def test_others_of_the_queue_are_not_held_up_by_a_job_that_avoids_the_host(db: Conn) -> None:
    taken = failed_by_its_host(db)
    other = claim_one(db, worker=taken.worker)
    assert other.id != taken.id


def test_a_human_overrules_what_a_job_avoids(db: Conn) -> None:
    taken = failed_by_its_host(db)
    execute(db, jobs.retry(taken.id))
    assert len(claim(db, taken.worker)) == 1
