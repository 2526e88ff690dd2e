"""What the server refuses for now (conflicts, a full disk, no memory) is tried again, and charged to no attempt."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from pgqueue.client import enqueue
from pgqueue.events import DatabaseBack, DatabaseLost
from tests.conftest import Connect
from tests.waiting import wait_until
from tests.worker.errands import work
from tests.worker.running import Desk, StartThreaded

CODES = ("40001", "40P01", "53100", "53200", "55P03", "57014", "25006")
SETTLE, CLAIM = "insert on pgqueue.attempts", "update on pgqueue.jobs"


def refuse(desk: Desk, code: str, move: str, times: int = 3) -> None:
    """Let the server answer `code` to the next moves of this kind; a sequence counts through rollbacks."""
    desk.conn.execute("create sequence refused")
    desk.conn.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin"
        f" if nextval('public.refused') <= {times} then raise exception 'asked for' using errcode = '{code}'; end if;"
        " return null; end $$"
    )
    desk.conn.execute(f"create trigger refuse before {move} for each statement execute function public.refuse()")


def check_refused(start: StartThreaded, desk: Desk) -> None:
    quick, failing, effect = desk.send("work"), desk.send("fail_until", 2), desk.send("effect", 1)
    worker = start(executor="thread", concurrency=2, poll=0.2)
    desk.await_all_ended()
    assert worker.stop() == 0
    assert desk.one("select last_value from refused") > 3
    assert desk.outcomes(quick) == ["succeeded"]
    assert [outcome for outcome in desk.outcomes(failing) if outcome != "released"] == ["failed", "succeeded"]
    assert [outcome for outcome in desk.outcomes(effect) if outcome != "released"] == ["succeeded"]
    assert desk.one("select max(attempt) from pgqueue.attempts where job_id <> %s", failing) == 1
    desk.check_effects([1])


@pytest.mark.faults
@pytest.mark.parametrize("move", [SETTLE, CLAIM], ids=["settle", "claim"])
@pytest.mark.parametrize("code", CODES)
def test_a_refused_move_is_repeated_without_charge(start: StartThreaded, desk: Desk, code: str, move: str) -> None:
    refuse(desk, code, move)
    check_refused(start, desk)


@pytest.mark.faults
def test_a_settlement_that_a_deadlock_undid_is_repeated(start: StartThreaded, desk: Desk, connect: Connect) -> None:
    """The job's row waits for what we hold, and we for the job's row; the worker is the one that gives in."""
    desk.conn.execute(
        sql.SQL("alter database {} set deadlock_timeout = '250ms'").format(sql.Identifier(desk.conn.info.dbname))
    )
    desk.conn.execute(
        "create function tangle() returns trigger language plpgsql as"
        " $$ begin perform pg_advisory_xact_lock(4242); return new; end $$"
    )
    desk.conn.execute(
        "create trigger tangle before insert on pgqueue.attempts for each row execute function public.tangle()"
    )
    other = connect()
    other.execute("set deadlock_timeout = '20s'")
    other.commit()
    worker = start(executor="thread", poll=0.2)

    def entangled() -> bool:
        other.execute("select pg_advisory_xact_lock(4242)")
        job_id = desk.send("work")
        waits = "select count(*) > 0 from pg_stat_activity where %s = any (pg_blocking_pids(pid))"
        wait_until(lambda: desk.one(waits, other.info.backend_pid), 20)
        other.execute("select from pgqueue.jobs where id = %s for update", [job_id])
        other.commit()
        assert desk.await_state(job_id).state == "succeeded"
        assert desk.outcomes(job_id) == ["succeeded"]
        desk.conn.execute("select pg_stat_force_next_flush()")
        return bool(desk.one("select deadlocks from pg_stat_database where datname = current_database()"))

    # The server looks for a deadlock but once in each wait: that may be too early.
    wait_until(entangled, 60)
    assert worker.stop() == 0


def test_a_full_disk_is_told_once_waited_for_and_charged_to_nobody(start: StartThreaded, desk: Desk) -> None:
    refuse(desk, "53100", SETTLE, times=10**9)
    worker = start(executor="thread", poll=0.2)
    job_id = desk.send("work")
    wait_until(lambda: desk.one("select last_value from refused") >= 5)
    told = [(lost.role, lost.error, lost.refused) for lost in worker.heard(DatabaseLost)]
    assert told == [("claimer", "asked for (53100)", True)]
    desk.conn.execute("drop trigger refuse on pgqueue.attempts")
    assert desk.await_state(job_id).state == "succeeded"
    assert desk.outcomes(job_id) == ["succeeded"]
    wait_until(lambda: [back.role for back in worker.heard(DatabaseBack)] == ["claimer"])


@pytest.mark.parametrize("code", ["40001", "40P01", "53100"])
def test_a_refused_enqueue_leaves_nothing_and_may_be_repeated(desk: Desk, connect: Connect, code: str) -> None:
    refuse(desk, code, "insert on pgqueue.jobs", times=1)
    with connect() as conn:
        with pytest.raises(psycopg.Error) as refused, conn.transaction():
            enqueue(conn, work, unique_key="k")
        assert refused.value.sqlstate == code
        assert enqueue(conn, work, unique_key="k").created
    assert desk.one("select count(*) from pgqueue.jobs") == 1
