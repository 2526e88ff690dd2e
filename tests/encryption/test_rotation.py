"""Keys are rotated beside whoever is at work: nothing is lost, nothing is ever in the clear, and the old key can go."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import pgqueue
from pgqueue import NewJob, encryption
from pgqueue.encryption import Kind, Place
from pgqueue.errors import EncryptionError, OptionError
from pgqueue.partitioning import partition_history
from pgqueue.rotating import At, key_use, rotate
from pgqueue.store import encrypted_tables
from tests.conftest import Connect
from tests.encryption import tasks
from tests.encryption.conftest import PLANTED, KeyFile, columns_with, ring
from tests.waiting import wait_until
from tests.worker.running import Desk, StartProcess, StartThreaded

APP = ["tests.encryption.tasks"]


def left(conn: Any, key_id: str) -> dict[str, int]:
    return {use.table: use.rows for use in key_use(conn) if use.key == key_id}


def fill(desk: Desk, start: StartThreaded) -> list[Any]:
    """Something encrypted with k1 in each of the tables."""
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    told = NewJob(tasks.told, {"note": PLANTED})
    jobs: list[Any] = [
        pgqueue.enqueue(conn, tasks.charge, {"who": PLANTED}, on_success=told),
        tasks.fail.enqueue(conn, PLANTED),
        tasks.order.enqueue(conn, PLANTED),
    ]
    worker = start(executor="thread", app=APP)
    wait_until(lambda: desk.values("select count(*) from pgqueue.waits") == [1], 20, "its wait")
    pgqueue.signal(conn, jobs[2].id, "paid", {"who": PLANTED})
    done = "select count(*) from pgqueue.job where state in ('succeeded', 'dead')"
    wait_until(lambda: desk.values(done) == [5], 20, "the ends")
    wait_until(lambda: desk.values("select count(*) from pgqueue.job_logs") == [2], 5, "what they said")
    worker.stop()
    pgqueue.schedule(conn, "hourly", tasks.charge, {"who": PLANTED}, every=3600)
    waiting = tasks.charge.using(delay=600).enqueue(conn, PLANTED)
    flow = pgqueue.Workflow("two")
    first = flow.add(tasks.charge.using(delay=600).job(who=PLANTED))
    flow.add(tasks.add_up.job(parts=first.result, note=PLANTED))
    flow.enqueue(conn)
    own = encryption.encrypted('{"at": 1}', Place(Kind.CHECKPOINT, waiting.id))
    conn.execute(
        "insert into pgqueue.checkpoints (job_id, claim, attempt, value) values (%s, 1, 1, %s)", [waiting.id, own]
    )
    old = encryption.encrypted('["a"]', Place(Kind.ARGS, waiting.id))
    conn.execute("insert into pgqueue.revisions (job_id, who, old_args) values (%s, 'ann', %s)", [waiting.id, old])
    return [*jobs, waiting]


@pytest.mark.parametrize("partitioned", [False, True])
def test_what_is_rotated_is_read_with_the_new_key_alone(
    desk: Desk, dsn: str, start: StartThreaded, partitioned: bool
) -> None:
    charged, failed, order, waiting = fill(desk, start)
    if partitioned:
        partition_history(dsn)
    conn = desk.conn
    encryption.encrypt_with(ring("k2", "k1"))
    assert left(conn, "k1").keys() == {table.name for table in encrypted_tables.TABLES}
    before = left(conn, "k1")
    written = sum(done.written for done in rotate(conn))
    assert written == sum(before.values())
    assert left(conn, "k1") == {}
    assert left(conn, "k2") == before
    encryption.encrypt_with(ring("k2"))
    assert pgqueue.result(conn, charged) == {"who": PLANTED, "amount": 1}
    assert pgqueue.result(conn, order)[0] == f"held {PLANTED}"
    dead = pgqueue.decrypted(pgqueue.get_job(conn, failed.id))
    assert dead.args == [PLANTED]
    assert dead.last_error == f"ValueError: who {PLANTED} was declined"
    (line, *_) = pgqueue.job_logs(conn, charged.id)
    assert pgqueue.decrypted(line, charged).line == f"charging {PLANTED}"
    conn.execute("update pgqueue.jobs set run_at = now()")
    start(executor="thread", app=APP)
    wait_until(lambda: pgqueue.get_job(conn, waiting.id).state == "succeeded", 20, "its end")
    assert columns_with(conn, PLANTED) == []
    assert columns_with(conn, "encrypted:k1") == []


def test_what_somebody_holds_is_left_and_counted(desk: Desk, connect: Connect) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    ids = pgqueue.enqueue_many(conn, [tasks.charge.job(PLANTED) for _ in range(3)])
    encryption.encrypt_with(ring("k2", "k1"))
    conn.execute("update pgqueue.jobs set worker = 1, claim = 1 where id = %s", [ids[0]])
    other = connect()
    other.execute("select from pgqueue.jobs where id = %s for update", [ids[1]])
    (done,) = rotate(conn)
    assert (done.looked, done.written, done.left) == (3, 1, 2)
    assert left(conn, "k1") == {"jobs": 2}
    other.rollback()
    conn.execute("update pgqueue.jobs set worker = null where id = %s", [ids[0]])
    assert sum(each.written for each in rotate(conn)) == 2


def test_it_goes_on_where_it_was_cut_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    pgqueue.enqueue_many(conn, [tasks.charge.job(PLANTED) for _ in range(7)])
    encryption.encrypt_with(ring("k2", "k1"))
    monkeypatch.setattr(encrypted_tables, "PAGE_ROWS", 3)
    pages = rotate(conn)
    first = next(pages)
    pages.close()
    assert (first.at.table, first.written) == ("jobs", 3)
    assert sum(done.looked for done in rotate(conn, after=first.at)) == 4
    assert left(conn, "k1") == {}
    with pytest.raises(OptionError, match="no such place"):
        next(rotate(conn, after=At("jobs", ("a", "b"))))


def test_a_page_is_bounded_by_what_it_holds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    encryption.encrypt_with(ring("k1"))
    pgqueue.enqueue_many(desk.conn, [tasks.charge.job(PLANTED * 100) for _ in range(6)])
    encryption.encrypt_with(ring("k2", "k1"))
    monkeypatch.setattr(encrypted_tables, "PAGE_CHARACTERS", 3_000)
    assert [done.written for done in rotate(desk.conn)] == [2, 2, 2]


def test_what_nobody_encrypted_holds_up_no_rotation(desk: Desk) -> None:
    """Who may enqueue may write what looks encrypted, and is not."""
    encryption.encrypt_with(ring("k2", "k1"))
    conn = desk.conn
    fakes = ['{"$codec":"encrypted:k1","data":"AAAA"}', '{"$codec":"encrypted:k1","data":"A"}', '["encrypted:k1\\""]']
    for fake in fakes:
        conn.execute("insert into pgqueue.jobs (id, target, args) values (gen_random_uuid(), 'a:b', %s)", [fake])
    real = tasks.charge.enqueue(conn, PLANTED)
    assert sum(done.written for done in rotate(conn)) == 0
    assert desk.values("select count(*) from pgqueue.jobs where args::text = any(%s)", fakes) == [3]
    assert pgqueue.decrypted(pgqueue.get_job(conn, real.id)).args == [PLANTED]


def test_a_key_that_writes_or_is_unknown_is_not_rotated_away(desk: Desk) -> None:
    encryption.encrypt_with(ring("k2", "k1"))
    with pytest.raises(OptionError, match="the key k2 is the one that writes"):
        next(rotate(desk.conn, ["k2"]))
    with pytest.raises(EncryptionError, match="the key 'k9' is not here"):
        next(rotate(desk.conn, ["k9"]))
    encryption.encrypt_with(ring("k2"))
    with pytest.raises(OptionError, match="there is no key but k2"):
        next(rotate(desk.conn))


@pytest.mark.faults
def test_a_rotation_under_load_loses_nothing(
    desk: Desk, spawn: StartProcess, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    source = key_file("k1", "k2")
    monkeypatch.setenv("PGQUEUE_ENCRYPTION_KEYS", source)
    encryption.encrypt_with(source)
    conn = desk.conn
    workers = [spawn(executor="thread", app=APP, poll=0.2) for _ in range(2)]
    ids: list[Any] = []
    enough = threading.Event()

    def produce() -> None:
        with connect(autocommit=True) as own:
            while not enough.is_set():
                ids.extend(pgqueue.enqueue_many(own, [tasks.charge.job(PLANTED, n) for n in range(20)]))
                enough.wait(0.1)

    producer = threading.Thread(target=produce)
    producer.start()
    try:
        wait_until(lambda: desk.values("select count(*) > 50 from pgqueue.results")[0], 20, "some results")
        key_file("k2", "k1")
        wait_until(lambda: sum(left(conn, "k2").values()) > 50, 20, "the new key in use")
        passes = [sum(done.written for done in rotate(conn)) for _ in range(3)]
    finally:
        enough.set()
        producer.join()
    assert passes[0] > 0
    wait_until(lambda: desk.values("select count(*) from pgqueue.jobs") == [0], 60, "all ends")
    wait_until(lambda: not [*rotate(conn)] or not left(conn, "k1"), 20, "nothing of the old key")
    # The old key is gone, for all.
    key_file("k2")
    encryption.encrypt_with(source)
    assert desk.values("select count(*) from pgqueue.job where state <> 'succeeded'") == [0]
    assert desk.values("select count(distinct job_id) from pgqueue.results") == [len(ids)]
    found = dict(conn.execute("select job_id, result from pgqueue.results").fetchall())
    for n, job_id in enumerate(ids):
        result = encryption.decrypted(found[job_id], Place(Kind.RESULT, job_id))
        assert result == {"who": PLANTED, "amount": n % 20}
    assert columns_with(conn, PLANTED) == []
    assert all(PLANTED not in worker.text for worker in workers)
