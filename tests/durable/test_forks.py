"""A fork goes on where another job was, before a step."""

from __future__ import annotations

import pytest

import pgqueue
from pgqueue.testing import drain
from tests.durable import tasks
from tests.durable.conftest import Conn, done, lines


def test_a_fork_remembers_what_was_done_before_its_step(conn: Conn, log: str) -> None:
    job = tasks.charge.enqueue(conn, log, 12)
    drain(conn)
    assert lines(log) == ["look", "charge 12", "mail"]
    forked = pgqueue.fork(conn, job, "charge")
    (ran,) = drain(conn)
    assert (ran.id, ran.value) == (forked, "noted mail")
    assert lines(log) == ["look", "charge 12", "mail", "charge 12", "mail"]
    assert [each.name for each in pgqueue.steps(conn, forked)] == ["look", "charge", "mail"]
    assert pgqueue.get_job(conn, forked).parent_id == job.id


def test_of_a_dead_job_with_its_own_undoing(conn: Conn, log: str) -> None:
    job = tasks.trip.enqueue(conn, log, "wait")
    drain(conn)
    forked = pgqueue.fork(conn, job, "hotel")
    drain(conn)
    pgqueue.cancel(conn, forked)
    drain(conn)
    assert done(conn) == ["flight", "undone wrote flight"]
    assert lines(log) == ["hotel", "hotel", "undone hotel"]


def test_arguments_are_as_they_were(conn: Conn) -> None:
    job = tasks.patient.enqueue(conn, timeout=None)
    drain(conn)
    forked = pgqueue.fork(conn, job, "approval")
    assert pgqueue.get_job(conn, forked).args == pgqueue.get_job(conn, job).args == {"timeout": None}


def test_without_such_a_step_or_job_it_says_so(conn: Conn, log: str) -> None:
    job = tasks.charge.enqueue(conn, log, 12)
    with pytest.raises(pgqueue.OptionError, match="has no step 'charge'"), conn.transaction():
        pgqueue.fork(conn, job, "charge")
    with pytest.raises(pgqueue.JobNotFound):
        pgqueue.fork(conn, "01a0c5d6-0000-7000-8000-000000000000", "charge")
