"""Whatever is written of an encrypted job is encrypted, under every executor, and read again by who has the key."""

from __future__ import annotations

import asyncio
import base64
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue import NewJob, encryption
from tests.encryption import tasks
from tests.encryption.conftest import PLANTED, columns_with, content, ring
from tests.waiting import wait_until
from tests.worker.running import Desk, StartProcess, StartThreaded

APP = ["tests.encryption.tasks"]
STATES = {"succeeded", "dead", "cancelled"}


def ended(desk: Desk, job: Any) -> bool:
    return pgqueue.get_job(desk.conn, job.id).state in STATES


@pytest.mark.parametrize("kind", ["thread", "async"])
def test_no_table_holds_what_a_job_was_given_said_or_returned(desk: Desk, start: StartThreaded, kind: str) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    charged = tasks.charge.enqueue(conn, PLANTED, 5)
    others = [
        tasks.charge_async.enqueue(conn, PLANTED),
        tasks.charge_with.enqueue(conn, who=PLANTED),
        tasks.resume.enqueue(conn, PLANTED),
        tasks.bring.enqueue(conn, PLANTED),
        tasks.charge_all.enqueue(conn, PLANTED),
    ]
    failed = tasks.fail.enqueue(conn, PLANTED)
    assert columns_with(conn, PLANTED) == []
    worker = start(executor=kind, app=APP)
    wait_until(lambda: all(ended(desk, each) for each in [charged, failed, *others]), 20, "the ends")
    wait_until(lambda: desk.values("select count(*) from pgqueue.job_logs")[0] >= 2, 5, "what they said")
    worker.stop()
    assert pgqueue.result(conn, charged) == {"who": PLANTED, "amount": 5}
    assert [pgqueue.result(conn, each) for each in others[:3]] == [PLANTED, PLANTED, {"who": PLANTED}]
    assert pgqueue.result(conn, others[4]) == {"who": PLANTED}
    with pytest.raises(pgqueue.JobFailed) as caught:
        pgqueue.result(conn, failed)
    assert f"who {PLANTED} was declined" in (caught.value.traceback or "")
    assert columns_with(conn, PLANTED) == []
    assert {"attempts.args", "attempts.error", "results.result", "job_logs.line", "progress.note"} <= set(
        columns_with(conn, "encrypted:k1")
    )


def test_children_have_the_keys_by_their_channel_alone(
    desk: Desk, spawn: StartProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = f"k1 = {base64.b64encode(content('k1')).decode()}"
    monkeypatch.setenv("SHOP_KEYRING", said)
    monkeypatch.setenv("PGQUEUE_ENCRYPTION_KEYS", "env:SHOP_KEYRING")
    encryption.encrypt_with("env:SHOP_KEYRING")
    conn = desk.conn
    worker = spawn(executor="process", app=APP)
    charged, failed = tasks.charge.enqueue(conn, PLANTED), tasks.fail.enqueue(conn, PLANTED)
    wait_until(lambda: ended(desk, charged) and ended(desk, failed), 20, "the ends")
    for pid in worker.children:
        child = Path(f"/proc/{pid}")
        assert said.encode() not in (child / "environ").read_bytes()
        assert content("k1") not in (child / "cmdline").read_bytes()
    wait_until(lambda: desk.values("select count(*) from pgqueue.job_logs") == [1], 5, "what it said")
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert pgqueue.result(conn, charged) == {"who": PLANTED, "amount": 1}
    assert columns_with(conn, PLANTED) == []
    assert PLANTED not in worker.text
    assert said.partition("= ")[2] not in worker.text
    assert "ValueError: (encrypted, key k1)" in worker.text


def test_a_follow_up_is_told_what_was_returned_and_raised(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    told = NewJob(tasks.told, {"note": PLANTED}, labels={"of": "told"})
    pgqueue.enqueue(conn, tasks.charge, {"who": PLANTED}, on_success=told)
    pgqueue.enqueue(conn, tasks.fail, {"who": PLANTED}, on_failure=told)
    assert columns_with(conn, PLANTED) == []
    start(executor="thread", app=APP)
    of_told = "select id from pgqueue.job where target = %s and state = 'succeeded'"
    wait_until(lambda: len(desk.values(of_told, tasks.told.target)) == 2, 20, "both follow-ups")
    returned = [pgqueue.result(conn, each) for each in desk.values(of_told, tasks.told.target)]
    assert {"result": {"who": PLANTED, "amount": 1}, "error": None, "note": PLANTED} in returned
    assert {"result": None, "error": f"who {PLANTED} was declined", "note": PLANTED} in returned
    assert columns_with(conn, PLANTED) == []


def test_results_of_a_workflow_are_filled_in_without_being_read(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    flow = pgqueue.Workflow("sum")
    first = flow.add(tasks.charge.job(who=PLANTED, amount=1), name="first")
    second = flow.add(tasks.charge.job(who=PLANTED, amount=2), name="second")
    flow.add(tasks.add_up.job(parts=first.result, note=PLANTED), name="by name", after=second)
    flow.add(NewJob(tasks.add_up, [second.result, PLANTED]), name="by place")
    flow.add(tasks.gather.job(PLANTED), name="gathered", after=[first, second])
    flow.enqueue(conn)
    charges = [tasks.charge.job(who=PLANTED, amount=n) for n in (3, 4)]
    pgqueue.chord(charges, NewJob(tasks.add_up, [pgqueue.results, PLANTED])).enqueue(conn)
    assert columns_with(conn, PLANTED) == []
    start(executor="thread", app=APP)
    done = "select id from pgqueue.job where target <> %s and state = 'succeeded'"
    wait_until(lambda: len(desk.values(done, tasks.charge.target)) == 4, 20, "the ends")
    returned = [pgqueue.result(conn, each) for each in desk.values(done, tasks.charge.target)]
    one, two, three, four = ({"who": PLANTED, "amount": n} for n in (1, 2, 3, 4))
    for parts in (one, two, [three, four]):
        assert {"parts": parts, "note": PLANTED} in returned
    assert [PLANTED, one, two] in returned
    assert columns_with(conn, PLANTED) == []


def test_a_durable_function_remembers_and_waits_in_secret(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    job = tasks.order.enqueue(conn, PLANTED)
    start(executor="thread", app=APP)
    wait_until(lambda: desk.values("select count(*) from pgqueue.waits") == [1], 20, "its wait")
    assert pgqueue.signal(conn, job.id, "paid", {"who": PLANTED})
    wait_until(lambda: ended(desk, job), 20, "its end")
    wanted = [f"held {PLANTED}", {"who": PLANTED}, {"who": PLANTED, "amount": 1}]
    assert pgqueue.result(conn, job) == wanted
    assert {"steps.result", "steps.undo"} <= set(columns_with(conn, "encrypted:k1"))
    fork = pgqueue.fork(conn, job.id, tasks.charge.target.partition(":")[2])
    wait_until(lambda: pgqueue.get_job(conn, fork).state in STATES, 20, "the fork's end")
    assert pgqueue.get_job(conn, fork).state == "succeeded"
    assert columns_with(conn, PLANTED) == []


def test_a_schedule_writes_its_arguments_encrypted(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    pgqueue.schedule(conn, "each second", tasks.charge, {"who": PLANTED}, every=1)
    assert columns_with(conn, PLANTED) == []
    start(executor="thread", app=APP)
    (tick,) = wait_until(lambda: desk.values("select job_id from pgqueue.ticks where job_id is not null"), 20, "a tick")
    wait_until(lambda: pgqueue.get_job(conn, tick).state in STATES, 20, "its end")
    assert pgqueue.result(conn, tick) == {"who": PLANTED, "amount": 1}
    assert columns_with(conn, PLANTED) == []


async def _from_outside(dsn: str, job_id: UUID) -> UUID:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
        await pgqueue.signal(conn, job_id, "paid", {"who": PLANTED})
        while (await pgqueue.get_job(conn, job_id)).state not in STATES:
            await asyncio.sleep(0.05)
        assert (await pgqueue.result(conn, job_id))[1] == {"who": PLANTED}
        return await pgqueue.fork(conn, job_id, "hold")


def test_what_is_sent_on_async_connections_is_encrypted_too(desk: Desk, dsn: str, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    job = tasks.order.enqueue(desk.conn, PLANTED)
    start(executor="thread", app=APP)
    fork = asyncio.run(asyncio.wait_for(_from_outside(dsn, job.id), 20))
    pgqueue.signal(desk.conn, fork, "paid", "again")
    wait_until(lambda: pgqueue.get_job(desk.conn, fork).state == "succeeded", 20, "the fork's end")
    assert pgqueue.result(desk.conn, fork)[:2] == [f"held {PLANTED}", "again"]
    assert columns_with(desk.conn, PLANTED) == []
