"""A link that goes silent and stays open: keepalives are useless, so every wait has a deadline of our own."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

import pgqueue
from pgqueue.errors import DatabaseUnreachable
from pgqueue.hearing import ears
from pgqueue.job import NewJob
from pgqueue.store.connection import open_async_connection, open_connection
from tests.client.ears import ears as who_hears
from tests.factories import claim_one, settle
from tests.faults.silence import SilentProxy
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, Desk, StartProcess

# A worker that was away for a third of it retires, as one does that a busy machine starves.
LEASE = 9


def test_a_statement_on_a_silent_link_ends_at_its_deadline(proxied: str, proxy: SilentProxy) -> None:
    conn = open_connection(proxied, "test", deadline=0.3)
    proxy.hush([""])
    began = time.monotonic()
    with pytest.raises(psycopg.OperationalError, match=r"no answer within 0\.3 s"):
        conn.execute("select 1")
    assert 0.3 <= time.monotonic() - began < 2
    assert conn.closed


def test_a_coroutine_on_a_silent_link_ends_at_its_deadline(proxied: str, proxy: SilentProxy) -> None:
    async def ask() -> None:
        conn = await open_async_connection(proxied, "test")
        conn.deadline = 0.3
        proxy.hush([""])
        with pytest.raises(psycopg.OperationalError, match=r"no answer within 0\.3 s"):
            await conn.execute("select 1")
        assert conn.closed

    asyncio.run(asyncio.wait_for(ask(), 3))


def test_what_cannot_be_sent_ends_at_its_deadline_and_closing_does_not_wait(proxied: str, proxy: SilentProxy) -> None:
    conn = open_connection(proxied, "test", deadline=0.3)
    # A peer that reads nothing: what is not sent yet fills every buffer.
    proxy.hush([""], reading=False)
    began = time.monotonic()
    with pytest.raises(psycopg.OperationalError, match="no answer"):
        conn.execute("select length(%s)", ["x" * 30_000_000])
    conn.close()
    assert time.monotonic() - began < 5


def test_a_server_that_is_alive_gives_up_before_we_do_and_keeps_the_connection(dsn: str) -> None:
    with open_connection(dsn, "test", deadline=0.5) as conn:
        with pytest.raises(psycopg.errors.QueryCanceled):
            conn.execute("select pg_sleep(5)")
        assert conn.execute("select 1").fetchone() == (1,)


def test_a_connection_for_people_has_no_deadline(dsn: str) -> None:
    with open_connection(dsn, "cli", deadline=None) as conn:
        assert conn.execute("show statement_timeout").fetchone() == ("0",)


def test_who_waits_outlives_a_link_that_goes_silent(
    proxied: str, proxy: SilentProxy, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ears, "DEADLINE", 0.3)
    taken = claim_one(desk.conn)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(proxied) as conn:
        waiting = pool.submit(pgqueue.result, conn, taken.id, 20)
        (deaf,) = wait_until(lambda: who_hears(desk.conn))
        proxy.hush(["waiting"])
        proxy.speak()
        wait_until(lambda: set(who_hears(desk.conn)) - {deaf}, message="another connection hears")
        settle(desk.conn, taken)
        assert waiting.result(5) is None


@pytest.mark.faults
def test_connecting_to_a_server_that_says_nothing_ends(proxied: str, proxy: SilentProxy) -> None:
    proxy.hush([""])
    began = time.monotonic()
    with pytest.raises(DatabaseUnreachable):
        open_connection(f"{proxied} connect_timeout=2", "test")
    assert time.monotonic() - began < 10


@pytest.mark.faults
@pytest.mark.parametrize("role", ["claimer", "listener", "heartbeat", ""], ids=lambda role: role or "all")
def test_a_worker_outlives_a_silent_link(
    spawn: StartProcess, desk: Desk, proxied: str, proxy: SilentProxy, role: str
) -> None:
    worker = spawn(proxied, executor="thread", concurrency=2, lease=LEASE, poll=0.5)
    ids = desk.send_many([NewJob(f"{ERRANDS}:work", [0.01]) for _ in range(100)])
    proxy.hush([role])
    # Some role has noticed; the listener only at its next self-test, and it does not matter before.
    if role != "listener":
        wait_until(lambda: worker.heard("database lost, trying again"), 40)
    proxy.speak()
    ids += desk.send_many([NewJob(f"{ERRANDS}:work", [0.01]) for _ in range(100)])
    desk.await_all_ended(90)
    desk.check_books(ids, succeeded=200)
    assert worker.process.poll() is None
    assert desk.one("select max(attempt) from pgqueue.attempts where outcome = 'succeeded'") <= 2


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["thread", "async"])
def test_the_commit_of_a_job_on_a_silent_link_ends_at_a_deadline(
    spawn: StartProcess, desk: Desk, proxied: str, proxy: SilentProxy, kind: str
) -> None:
    suffix = "_async" if kind == "async" else ""
    spawn(proxied, executor=kind, concurrency=1, lease=30, poll=0.5)
    # Long enough that the link goes silent before the completion: a session that holds the job's row would keep it.
    job_id = desk.send(f"effect{suffix}", 1, 4.0)
    # And not before the task's own statement: what the task asks may take as long as it wants.
    wrote = (
        "select state = 'idle in transaction' and query like 'insert into public.effects%%' from pg_stat_activity"
        " where application_name = 'pgqueue job'"
    )
    wait_until(lambda: desk.one(wrote))
    proxy.hush(["job"])
    # The deadline itself is 30 s.
    wait_until(lambda: desk.outcomes(job_id), 90)
    proxy.speak()
    assert desk.await_state(job_id, timeout=20).state == "succeeded"
    desk.check_effects([1])
