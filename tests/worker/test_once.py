"""Effects, once: whatever is retried, replayed or killed, and whoever asks at the same time."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.job import Claim, NewJob
from pgqueue.outcome import Move, Settlement
from pgqueue.tasks import Modules
from pgqueue.worker.attempts.attempt import Attempts
from tests.worker import once_tasks
from tests.worker.benches import KINDS, Make
from tests.worker.claims import claim_one

Conn = psycopg.Connection[Any]
TASKS = once_tasks.__name__


class Desk:
    """Runs attempts here, and looks at what they did."""

    def __init__(self, conn: Conn, dsn: str) -> None:
        self.conn = conn
        self.attempts = Attempts(dsn, Modules((TASKS,)), ())
        self._workers = iter(range(1, 1_000))

    def claim(self, name: str, *args: Any) -> Claim:
        new = NewJob(f"{TASKS}:{name}", list(args), store_result=True)
        return claim_one(self.conn, new, worker=next(self._workers))

    def run(self, name: str, *args: Any) -> Settlement:
        return self.attempts.run(self.claim(name, *args)).settlement

    def again(self, claim: Claim) -> Claim:
        """The next attempt of a job whose worker has vanished."""
        worker = next(self._workers)
        self.conn.execute(
            "update pgqueue.jobs set worker = %s, claim = claim + 1, attempt = attempt + 1 where id = %s",
            [worker, claim.id],
        )
        self.conn.commit()
        return claim._replace(worker=worker, claim=claim.claim + 1, attempt=claim.attempt + 1)

    def values(self) -> list[int]:
        rows = self.conn.execute("select value from effects order by value").fetchall()
        self.conn.commit()
        return [row[0] for row in rows]

    def state(self, key: str) -> str | None:
        found = pgqueue.get_effect(self.conn, key)
        self.conn.commit()
        return None if found is None else found.state


@pytest.fixture
def desk(conn: Conn, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    conn.execute("create table effects (value int)")
    conn.commit()
    monkeypatch.setattr("pgqueue.context.home._home", dsn)
    desk = Desk(conn, dsn)
    yield desk
    desk.attempts.close()


def result(done: Settlement) -> Any:
    assert done.error is None, done.error
    return json.loads(done.result or "null")


BOTH = pytest.mark.parametrize("name", ["send", "send_async"])


@BOTH
def test_another_job_sees_that_it_was_done_by_whom_and_what_came_of_it(desk: Desk, name: str) -> None:
    first = desk.claim(name, "charge:42", 1)
    assert result(desk.attempts.run(first).settlement)[:2] == [True, False]
    runs, unknown, job_id, value = result(desk.run(name, "charge:42", 2))
    assert (runs, unknown, job_id, value) == (False, False, str(first.id), {"n": 1, "unknown": False})
    assert result(desk.run(name, "charge:42", 3, "", {"scope": "another"}))[0] is True
    assert desk.values() == [1, 3]
    found = pgqueue.get_effect(desk.conn, "charge:42")
    assert found is not None
    assert (found.state, found.job_id, found.attempt, found.target) == ("done", first.id, 1, f"{TASKS}:{name}")
    assert found.done_at is not None
    assert found.expires_at - found.done_at == timedelta(days=30)


@pytest.mark.parametrize("name", ["put", "put_async"])
def test_within_a_transaction_a_key_is_done_with_the_attempt_or_not_at_all(desk: Desk, name: str) -> None:
    failed = desk.run(name, "k", 1, "", "raise")
    assert (failed.move, failed.error) == (Move.RETRY, "it did not happen")
    assert (desk.state("k"), desk.values()) == (None, [])
    assert desk.run(name, "k", 2).outcome == "succeeded"
    replay = desk.claim(name, "k", 3)
    assert desk.attempts.run(replay).settlement.outcome == "succeeded"
    assert json.loads(str(_result_of(desk, replay.id)))[0] is False
    assert desk.values() == [2]


def _result_of(desk: Desk, job_id: UUID) -> Any:
    row = desk.conn.execute("select result::text from pgqueue.results where job_id = %s", [job_id]).fetchone()
    desk.conn.commit()
    return row[0] if row else None


def test_an_error_that_a_transactional_task_catches_takes_the_key_back(desk: Desk) -> None:
    assert desk.run("put_and_catch", "k").outcome == "succeeded"
    assert desk.state("k") is None


def test_a_late_transactional_attempt_leaves_no_key(desk: Desk) -> None:
    late = desk.claim("put", "k", 1)
    desk.again(late)
    assert desk.attempts.run(late).settlement.outcome == "late"
    assert (desk.state("k"), desk.values()) == (None, [])


def test_what_is_outside_stays_done_when_the_transaction_of_its_task_is_rolled_back(desk: Desk) -> None:
    for _ in range(2):
        assert desk.run("send_outside", "mail", 1).move is Move.RETRY
    assert (desk.state("mail"), desk.values()) == ("done", [1])


@BOTH
def test_an_exception_sets_the_key_free_unless_it_may_have_happened(desk: Desk, name: str) -> None:
    assert desk.run(name, "a", 1, "raise").move is Move.RETRY
    assert desk.run(name, "b", 2, "bury").reason == "buried"
    assert [desk.state(key) for key in "ab"] == [None, None]
    assert desk.run(name, "c", 3, "unsure").move is Move.RETRY
    assert desk.run(name, "d", 4, "time out").move is Move.RETRY
    assert [desk.state(key) for key in "cd"] == ["unknown", "unknown"]
    assert result(desk.run(name, "a", 5))[0] is True


def test_a_cancelled_coroutine_leaves_its_key_unknown(desk: Desk) -> None:
    assert desk.run("send_async", "k", 1, "cancel").move is Move.RETRY
    assert desk.state("k") == "unknown"


@BOTH
def test_who_finds_a_key_unknown_does_what_it_said(desk: Desk, name: str) -> None:
    before = desk.claim(name, "k", 1)
    _vanish_over(desk, before, "k")
    buried = desk.run(name, "k", 2)
    assert (buried.move, buried.reason) == (Move.END, "buried")
    assert f"job {before.id}, attempt 1, began 'k' at" in str(buried.error)
    assert "`pgqueue effects done k` or `pgqueue effects forget k`" in str(buried.error)
    raised = desk.run(name, "k", 2, "", {"on_unknown": "raise"})
    assert (raised.move, raised.error_type) == (Move.RETRY, "pgqueue.errors.EffectUnknown")
    assert result(desk.run(name, "k", 2, "", {"on_unknown": "skip"})) == [False, True, str(before.id), None]
    assert (desk.state("k"), desk.values()) == ("unknown", [])
    # Again: an exception before it is done leaves it as unknown as it was.
    assert desk.run(name, "k", 3, "raise", {"on_unknown": "run"}).move is Move.RETRY
    assert desk.state("k") == "unknown"
    assert result(desk.run(name, "k", 4, "", {"on_unknown": "run"}))[:2] == [True, True]
    assert (desk.state("k"), desk.values()) == ("done", [3, 4])


def _vanish_over(desk: Desk, claim: Claim, key: str) -> Claim:
    """An attempt reserves a key, and is never heard of again; the next one has its job."""
    _enter(desk.conn, claim, key)
    desk.conn.commit()
    assert desk.state(key) == "reserved"
    return desk.again(claim)


def _enter(conn: Conn, claim: Claim, key: str, state: str = "reserved", wait: float = 0.2) -> str:
    row = conn.execute(
        "select standing from pgqueue.enter_effect('default', %s, %s, '1 day', %s, false, %s, %s, %s, %s, %s)",
        [key, state, wait, claim.id, claim.worker, claim.claim, claim.attempt, claim.target],
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_the_reservation_of_an_attempt_that_runs_is_never_taken_for_unknown(desk: Desk) -> None:
    running = desk.claim("send", "k", 1)
    _enter(desk.conn, running, "k")
    desk.conn.commit()
    busy = desk.run("send", "k", 2, "", {"on_unknown": "run", "wait": 0.1})
    # It comes again in some seconds, and has not used up an attempt.
    assert (busy.move, busy.error_type) == (Move.RELEASE, "pgqueue.errors.EffectBusy")
    assert f"job {running.id}" in str(busy.error)
    done = threading.Timer(0.3, lambda: _confirm(desk, running, "k"))
    done.start()
    assert result(desk.run("send", "k", 3))[:3] == [False, False, str(running.id)]
    done.join()
    assert desk.values() == []


def _confirm(desk: Desk, claim: Claim, key: str) -> None:
    with psycopg.connect(desk.attempts._wire._dsn, autocommit=True) as conn:
        conn.execute(
            "select pgqueue.confirm_effect('default', %s, %s, %s, %s, '1 day', null)",
            [key, claim.id, claim.worker, claim.claim],
        )


def test_a_late_attempt_begins_nothing_and_confirms_nothing(desk: Desk, connect: Any) -> None:
    late = desk.claim("send", "k", 1)
    now = desk.again(late)
    done = desk.attempts.run(late).settlement
    assert done.error_type == "pgqueue.errors.LeaseLost"
    assert (desk.state("k"), desk.values()) == (None, [])
    # It reserved while it was not late yet, and was taken over as unknown.
    other = _vanish_over(desk, now, "k")
    assert result(desk.attempts.run(other._replace(args='["k", 2, "", {"on_unknown": "run"}]')).settlement)[0] is True
    conn = connect(autocommit=True)
    fenced = "select pgqueue.confirm_effect('default', 'k', %s, %s, %s, '1 day', null)"
    assert conn.execute(fenced, [now.id, now.worker, now.claim]).fetchone() == (False,)
    assert desk.values() == [2]


def test_a_job_killed_in_its_block_leaves_the_key_unknown_and_one_killed_behind_it_leaves_it_done(
    desk: Desk, make: Make, dsn: str
) -> None:
    bench = make("process", 1, dsn=dsn, apps=(TASKS,))
    killed = desk.claim("send", "k", 1, "kill")
    (crashed,) = bench.run([killed])
    assert crashed.outcome == "crashed"
    # Still its own, until somebody has settled that.
    assert desk.state("k") == "reserved"
    again = desk.again(killed)
    assert desk.state("k") == "unknown"
    assert desk.attempts.run(again).settlement.reason == "buried"
    assert desk.values() == [1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_executor_does_it_once(desk: Desk, make: Make, dsn: str, kind: str) -> None:
    bench = make(kind, 2, dsn=dsn, apps=(TASKS,))
    done = bench.run([desk.claim(name, "k", number) for number, name in enumerate(("send", "send_async") * 2)])
    assert sorted(result(each)[0] for each in done) == [False] * 3 + [True]
    assert len(desk.values()) == 1


def test_a_block_that_is_out_of_time_leaves_its_key_unknown(desk: Desk, make: Make, dsn: str) -> None:
    bench = make("process", 1, dsn=dsn, apps=(TASKS,))
    (late,) = bench.run([desk.claim("send", "k", 1, "sleep")._replace(timeout=0.5)])
    assert late.outcome == "timeout"
    assert desk.state("k") == "unknown"


def test_two_jobs_at_the_same_time_do_it_once(desk: Desk, make: Make, dsn: str) -> None:
    bench = make("thread", 8, dsn=dsn, apps=(TASKS,))
    done = bench.run([desk.claim("send", "k", number) for number in range(8)])
    assert sorted(result(each)[0] for each in done) == [False] * 7 + [True]
    assert len(desk.values()) == 1


def test_of_two_transactions_the_second_waits_for_the_first_and_takes_over_if_that_is_rolled_back(
    desk: Desk, connect: Any
) -> None:
    for commits in (True, False):
        first, second = connect(), connect()
        key, seen = f"k{commits}", []

        def ask(conn: Conn = second, key: str = key, seen: list[bool] = seen) -> None:
            with conn.transaction(), pgqueue.once(conn, key) as met:
                seen.append(bool(met))

        with pgqueue.once(first, key) as met:
            assert met
        waiting = threading.Thread(target=ask)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        (first.commit if commits else first.rollback)()
        waiting.join(10)
        assert seen == [not commits]


def test_a_wait_for_an_open_transaction_has_a_limit(desk: Desk, connect: Any) -> None:
    holder, other = connect(), connect()
    with pgqueue.once(holder, "k"):
        pass
    busy = desk.run("send", "k", 1, "", {"wait": 0.3})
    assert (busy.move, busy.error) == (Move.RELEASE, "'k' was not free within 0.3 s: an open transaction is at it")
    with other.transaction():
        other.execute("create table kept ()")
        with pytest.raises(pgqueue.EffectBusy), pgqueue.once(other, "k", wait=0):
            pass
        # The transaction goes on: nothing in it was aborted.
        assert other.execute("select count(*) from kept").fetchone() == (0,)


def test_two_transactions_that_take_keys_crosswise_end_in_a_deadlock_that_gives_the_attempt_back(
    desk: Desk, connect: Any
) -> None:
    other = connect()
    with pgqueue.once(other, "b"):
        pass
    taken = desk.claim("put_two", "a", "b")
    done: list[Settlement] = []
    thread = threading.Thread(target=lambda: done.append(desk.attempts.run(taken).settlement))
    thread.start()
    with suppress(psycopg.errors.DeadlockDetected), pgqueue.once(other, "a"):
        pass
    other.rollback()
    thread.join(20)
    assert [each.move for each in done] in ([Move.NOTHING], [Move.RELEASE])


def test_a_key_is_forgotten_after_its_time_but_never_while_an_attempt_is_at_it(desk: Desk) -> None:
    assert result(desk.run("send", "k", 1, "", {"keep": 0.001}))[0] is True
    assert result(desk.run("send", "k", 2, "", {"keep": 0.001}))[0] is True
    running = desk.claim("send", "r", 1)
    _enter(desk.conn, running, "r")
    desk.conn.execute("update pgqueue.effects set expires_at = now() - interval '1 hour'")
    assert desk.conn.execute("select pgqueue.forget_effects(100)").fetchone() == (1,)
    desk.conn.commit()
    assert (desk.state("k"), desk.state("r")) == (None, "reserved")
    assert _enter(desk.conn, desk.claim("send", "r", 2), "r") == "busy"
    desk.again(running)
    assert desk.conn.execute("select pgqueue.prune('7 days', '7 days')").fetchone() == (1,)


def test_applications_share_the_ledger_in_transactions_of_their_own(desk: Desk, connect: Any) -> None:
    conn = connect(autocommit=True)
    with pytest.raises(pgqueue.UsageError, match="open transaction"), pgqueue.once(conn, "k"):
        pass
    with conn.transaction(), pgqueue.once(conn, "k") as first:
        assert first
        first.value = [1, 2]
    met = result(desk.run("send", "k", 1))
    assert met == [False, False, "None", [1, 2]]
    with suppress(ValueError), conn.transaction(), pgqueue.once(conn, "gone") as first:
        raise ValueError
    assert desk.state("gone") is None
    _vanish_over(desk, desk.claim("send", "u", 1), "u")
    with pytest.raises(pgqueue.EffectUnknown), conn.transaction(), pgqueue.once(conn, "u"):
        pass
    with conn.transaction(), pgqueue.once(conn, "u", on_unknown="run") as first:
        assert (bool(first), first.is_unknown) == (True, True)
    assert desk.state("u") == "done"


def test_an_application_asks_on_an_async_connection_too(desk: Desk, dsn: str) -> None:
    async def ask() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as conn:
            async with pgqueue.once(conn, "k") as first:
                assert first
                first.value = 1
            with pytest.raises(pgqueue.UsageError, match="async with"), pgqueue.once(conn, "k"):
                pass

    asyncio.run(ask())
    assert desk.state("k") == "done"


def test_people_forget_a_key_or_say_that_it_was_done(desk: Desk) -> None:
    running = desk.claim("send", "k", 1)
    _enter(desk.conn, running, "k")
    for decide in (pgqueue.forget_effect, pgqueue.effect_done):
        with pytest.raises(pgqueue.EffectBusy, match="an attempt is at 'k'"):
            decide(desk.conn, "k")
    desk.again(running)
    assert pgqueue.effect_done(desk.conn, "k", value={"by": "hand"}) is True
    met = result(desk.run("send", "k", 2))
    assert (met[0], met[3]) == (False, {"by": "hand"})
    assert pgqueue.forget_effect(desk.conn, "k") is True
    assert pgqueue.forget_effect(desk.conn, "k") is False
    assert pgqueue.effect_done(desk.conn, "k") is False
    desk.conn.commit()
    assert result(desk.run("send", "k", 3))[0] is True


def test_a_key_is_not_entered_inside_its_own_block_nor_in_a_way_that_stops_the_loop(desk: Desk) -> None:
    assert "inside its own block" in str(desk.run("nested", "k").error)
    assert "write `async with`" in str(desk.run("blocking", "k").error)
    assert desk.state("k") is None


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"keep": 0}, "keep must be more than 0"),
        ({"on_unknown": "retry"}, "on_unknown must be"),
        ({"scope": "s" * 500 + "é"}, "scope must be"),
        ({"outside": False}, "needs a transactional task"),
    ],
)
def test_what_once_cannot_mean_is_refused(desk: Desk, options: dict[str, Any], fault: str) -> None:
    assert fault in str(desk.run("send", "k", 1, "", options).error)
    assert desk.values() == []


def test_a_value_is_json_of_a_bounded_size_and_set_only_by_who_did_it(conn: Conn) -> None:
    with pgqueue.once(conn, "k") as first:
        with pytest.raises(pgqueue.ArgumentError, match="value: "):
            first.value = object()
        with pytest.raises(pgqueue.ArgumentError, match=r"65,536 are kept"):
            first.value = "x" * 70_000
        first.value = "é" * 30_000
    with pgqueue.once(conn, "k") as second:
        assert second.value == "é" * 30_000
        with pytest.raises(pgqueue.UsageError, match="not done here"):
            second.value = 1
