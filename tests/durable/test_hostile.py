"""Steps, signals and rows that nobody should have written hurt their own job alone, and say what is wrong."""

from __future__ import annotations

import pytest

import pgqueue
from pgqueue.testing import drain
from tests.durable import tasks
from tests.durable.conftest import Conn


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (f"[{'9' * 5000}]", "what came of the signal 'approval' cannot be read"),
        (f"{'[' * 3000}{']' * 3000}", "what came of the signal 'approval' cannot be read"),
    ],
)
def test_a_payload_that_python_cannot_read_fails_the_attempt(conn: Conn, payload: str, said: str) -> None:
    job = tasks.patient.using(max_attempts=1).enqueue(conn)
    conn.execute("select pgqueue.signal(%s, 'approval', %s::json)", [job.id, payload])
    other = tasks.patient.enqueue(conn)
    pgqueue.signal(conn, other, "approval", "fine")
    ran = {each.id: each for each in drain(conn, raises=False)}
    assert said in str(ran[job.id].message)
    assert ran[other.id].value == "fine"


@pytest.mark.parametrize("payload", ["\x00", {"a": ["\ud800"]}, float("nan"), {1: 2}, object()])
def test_a_payload_that_is_no_json_is_refused_where_it_is_sent(conn: Conn, payload: object) -> None:
    job = tasks.patient.enqueue(conn)
    if payload in ("\x00", {1: 2}):
        # JSON has words for it.
        assert pgqueue.signal(conn, job, "approval", payload)
        return
    with pytest.raises(pgqueue.ArgumentError):
        pgqueue.signal(conn, job, "approval", payload)


@pytest.mark.parametrize("name", ["", "x" * 501, "a\x00b", 7])
def test_names_are_checked_where_they_are_said(conn: Conn, name: str) -> None:
    job = tasks.patient.enqueue(conn)
    with pytest.raises(pgqueue.OptionError):
        pgqueue.signal(conn, job, name)
    with pytest.raises(pgqueue.OptionError):
        pgqueue.fork(conn, job, name)


@pytest.mark.parametrize(
    "undo", ["{}", '{"target":"os:system","given":{"args":["true"]}}', '{"target":"x","given":7}', "[1]"]
)
def test_an_undo_that_somebody_forged_calls_nothing(conn: Conn, log: str, undo: str) -> None:
    job = tasks.trip.enqueue(conn, log, "wait")
    drain(conn)
    conn.execute("update pgqueue.steps set undo = %s where undo is not null", [undo])
    pgqueue.cancel(conn, job)
    (ran,) = drain(conn, raises=False)[:1]
    assert (ran.target, ran.outcome) == ("tests.durable.tasks:trip__rollback", "failed")


def test_a_memo_that_somebody_forged_names_its_step(conn: Conn) -> None:
    job = tasks.typed.enqueue(conn)
    drain(conn, raises=False)
    conn.execute("update pgqueue.steps set result = %s where name = 'account'", [f"[{'9' * 5000}]"])
    pgqueue.retry(conn, job)
    ran = drain(conn, raises=False)
    assert not ran or "step 'account'" in str(ran[0].message) or ran[0].succeeded
