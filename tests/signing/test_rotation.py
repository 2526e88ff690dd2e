"""A new key takes the place of an old one under load: nothing is lost, and nothing is untrusted on the way."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.job import NewJob
from tests.signing import tasks
from tests.signing.conftest import end_of
from tests.signing.keys import secret_line
from tests.waiting import wait_until
from tests.worker.running import hiring

HERE = tasks.HERE
A, B = secret_line("a"), secret_line("b")


def put(path: Path, text: str) -> None:
    """The file as a whole, as whoever deploys it replaces it."""
    new = path.with_suffix(".new")
    new.touch(0o600)
    new.write_text(text)
    os.replace(new, path)


class Producer(threading.Thread):
    """Enqueues without a pause, one and many, until it is told to stop."""

    def __init__(self, dsn: str) -> None:
        super().__init__(name="producer")
        self._dsn = dsn
        self.ids: list[Any] = []
        self.stopping = False
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            with psycopg.connect(self._dsn, autocommit=True) as conn:
                while not self.stopping:
                    self.ids.append(tasks.pay.enqueue(conn, 1).id)
                    self.ids.append(tasks.bring.enqueue(conn, len(self.ids) * 10).id)
                    self.ids += pgqueue.enqueue_many(conn, [NewJob(f"{HERE}:pay", [n]) for n in range(20)])
                    time.sleep(0.02)
        except BaseException as fault:
            self.fault = fault


@pytest.mark.faults
def test_keys_rotate_under_load(
    conn: psycopg.Connection[Any], dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    producers, workers = tmp_path / "producers", tmp_path / "workers"
    for path in (producers, workers):
        put(path, A)
    pgqueue.sign_with(f"file:{producers}")
    monkeypatch.setenv("PGQUEUE_SIGNING_KEYS", f"file:{workers}")
    load = Producer(dsn)

    def waits() -> int:
        row = conn.execute("select count(*) from pgqueue.jobs").fetchone()
        assert row is not None
        return int(row[0])

    def signed_by(key: str) -> int:
        row = conn.execute(
            "select count(*) from pgqueue.attempts where headers ->> 'pgqueue-signature' like %s", [f"1j:{key}:%"]
        ).fetchone()
        assert row is not None
        return int(row[0])

    with hiring(tmp_path) as hire:
        hire(dsn, app=[HERE], require_signature=True, concurrency=1)
        load.start()
        wait_until(lambda: signed_by("a") > 100)
        # First all who check know the new key, then those who sign use it, then nobody needs the old one.
        put(workers, A + B)
        put(producers, B + A)
        wait_until(lambda: signed_by("b") > 100)
        before = len(load.ids)
        wait_until(lambda: len(load.ids) > before + 50)
        load.stopping = True
        load.join()
        wait_until(lambda: waits() == 0, 30)
        put(workers, B)
        put(producers, B)
        time.sleep(1.1)
        late = tasks.pay.enqueue(conn, 1)
        wait_until(lambda: waits() == 0, 30)
        put(producers, A)
        time.sleep(1.1)
        forgotten = tasks.pay.enqueue(conn, 1)
        wait_until(lambda: waits() == 0, 30)
    assert load.fault is None
    ended = conn.execute(
        "select count(*) from pgqueue.attempts where outcome = 'succeeded' and job_id = any (%s)", [load.ids]
    )
    assert ended.fetchone() == (len(load.ids),)
    # What jobs enqueued themselves was signed, too.
    assert conn.execute("select count(*) from pgqueue.lineage").fetchone() == (
        2 * conn.execute(f"select count(*) from pgqueue.attempts where target = '{HERE}:bring'").fetchone()[0],  # type: ignore[index]  # it counts
    )
    assert end_of(conn, late.id)[0] == "succeeded"
    assert end_of(conn, forgotten.id)[2] == (
        "pgqueue.Untrusted: it is signed with the key a, which this worker does not know"
    )
    assert conn.execute("select count(*) from pgqueue.dead_jobs").fetchone() == (1,)
