"""Two at once: attempts in the same step, signals and waits that pass each other, ends of children."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.job import Claim
from pgqueue.outcome import Move, Settlement
from pgqueue.store import durable, execute
from tests import factories
from tests.conftest import Connect
from tests.waiting import wait_until

Conn = psycopg.Connection[Any]


def lost(db: Conn, claim: Claim) -> Claim:
    """The next claim of a job whose worker has vanished."""
    db.execute("update pgqueue.workers set expires_at = now() - interval '1 s' where id = %s", [claim.worker])
    db.execute("select pgqueue.reap()")
    db.execute("update pgqueue.jobs set run_at = now() where id = %s", [claim.id])
    (again,) = factories.claim(db, factories.enlist(db))
    assert again.id == claim.id
    return again


def wait_in(db: Conn, claim: Claim, scopes: list[UUID], name: str = "go") -> durable.Standing:
    return execute(db, durable.wait(claim, name, 1, scopes, name, None))


def suspend(db: Conn, claim: Claim) -> frozenset[UUID]:
    back = Settlement(claim.id, claim.claim, Move.WAIT, "released", 3600.0, error="waits")
    return execute(db, durable.suspend(claim.worker, [back]))


def is_due(db: Conn, job: UUID) -> bool:
    (due,) = db.execute("select run_at <= clock_timestamp() from pgqueue.jobs where id = %s", [job]).fetchone() or (
        None,
    )
    return bool(due)


def test_a_late_attempt_remembers_nothing(db: Conn) -> None:
    late = factories.claim_one(db)
    again = lost(db, late)
    assert execute(db, durable.remember(late, "step", "a", 1, "1")).said == "late"
    assert execute(db, durable.sleep(late, "a", 1, 5)).said == "late"
    assert wait_in(db, late, [late.id]).said == "late"
    assert suspend(db, late) == {late.id}
    assert execute(db, durable.remember(again, "step", "a", 1, "2")).said == "done"
    assert [memo.result for memo in execute(db, durable.memos(late.id))] == ["2"]


def test_of_two_attempts_in_one_step_the_first_memo_counts(db: Conn, connect: Connect) -> None:
    late, own = factories.claim_one(db), connect()
    # Its transaction is open while its lease is lost.
    assert execute(own, durable.remember(late, "step", "a", 1, "1")).said == "done"
    again = lost(db, late)
    stood: list[durable.Standing] = []
    second = threading.Thread(target=lambda: stood.append(execute(db, durable.remember(again, "step", "a", 1, "2"))))
    second.start()
    own.commit()
    second.join(10)
    assert stood == [durable.Standing("there", "1")]


@pytest.mark.parametrize("first", ["signal", "wait"])
@pytest.mark.parametrize("kept", ["committed", "rolled back"])
def test_a_signal_and_a_wait_that_pass_each_other_meet(db: Conn, connect: Connect, first: str, kept: str) -> None:
    claim, sender = factories.claim_one(db), connect()
    if first == "wait":
        assert wait_in(db, claim, [claim.id]).said == "wait"
    assert execute(sender, durable.signal(claim.id, "go", "1")) is True
    if first == "signal":
        assert wait_in(db, claim, [claim.id]).said == "wait"
    # Not blocked by the sender: it looks again in a second.
    assert suspend(db, claim) == frozenset()
    (soon,) = db.execute("select run_at < now() + interval '2 s' from pgqueue.jobs").fetchone() or ()
    assert soon
    if kept == "committed":
        sender.commit()
    else:
        sender.rollback()
    db.execute("update pgqueue.jobs set run_at = now()")
    (again,) = factories.claim(db, factories.enlist(db))
    stood = wait_in(db, again, [again.id])
    assert stood.said == ("there" if kept == "committed" else "wait")


def test_a_sender_waits_for_a_worker_that_lays_down_and_then_sees_it(db: Conn, connect: Connect) -> None:
    claim, worker = factories.claim_one(db), connect()
    assert wait_in(db, claim, [claim.id]).said == "wait"
    assert suspend(worker, claim) == frozenset()
    sent: list[object] = []
    sender = threading.Thread(target=lambda: sent.append(execute(db, durable.signal(claim.id, "go", "1"))))
    sender.start()
    worker.commit()
    sender.join(10)
    assert sent == [True]
    assert is_due(db, claim.id)


def test_a_wait_for_many_wakes_once_when_the_last_has_ended(db: Conn) -> None:
    children = [factories.claim_one(db).id for _ in range(50)]
    claim = factories.claim_one(db)
    assert wait_in(db, claim, children).said == "wait"
    assert suspend(db, claim) == frozenset()
    order = [*children[25:], *children[:24]]
    for child in order:
        assert execute(db, durable.signal(child, "go", f'"{child}"'))
        assert not is_due(db, claim.id)
    assert execute(db, durable.signal(children[24], "go", "null"))
    assert is_due(db, claim.id)
    (again,) = [each for each in factories.claim(db, factories.enlist(db)) if each.id == claim.id]
    stood = wait_in(db, again, children)
    assert stood.said == "there"
    assert stood.result is not None
    assert stood.result.count(",") == 49


def test_the_last_two_of_many_at_once_wake_it(db: Conn, connect: Connect) -> None:
    children = [factories.claim_one(db).id for _ in range(2)]
    claim = factories.claim_one(db)
    wait_in(db, claim, children)
    suspend(db, claim)
    one, two = connect(), connect()
    for conn, child in ((one, children[1]), (two, children[0])):
        # As an end sends it: it waits for nobody.
        conn.execute("select pgqueue.send(%s, 'go', 'null', null, false)", [child])
    two.commit()
    one.commit()
    db.execute("select pgqueue.reap()")
    wait_until(lambda: is_due(db, claim.id), 5, "that it is due")


def test_an_end_never_waits_for_a_transaction_that_holds_who_waits_for_it(db: Conn, connect: Connect) -> None:
    claim, child, own = factories.claim_one(db), factories.claim_one(db), connect()
    wait_in(db, claim, [child.id])
    suspend(db, claim)
    own.execute("select from pgqueue.jobs where id = %s for update", [claim.id])
    db.execute("set statement_timeout = '5 s'")
    db.execute("select pgqueue.send(%s, 'go', 'null', null, false)", [child.id])
    own.execute("update pgqueue.jobs set priority = 7 where id = %s", [claim.id])
    own.commit()
    assert not is_due(db, claim.id)
    db.execute("select pgqueue.reap()")
    assert is_due(db, claim.id)
