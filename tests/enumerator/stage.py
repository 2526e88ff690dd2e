"""Where scenarios are played, one at a time: a database of its own, reached directly or through the proxy."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from pgqueue.client import enqueue
from pgqueue.embedded import Server
from pgqueue.ids import new_job_id
from tests.enumerator import witness
from tests.enumerator.invariants import violations_of
from tests.enumerator.zygote import ForkedWorker, Zygote
from tests.worker.running import ThreadedWorker

TASKS = "tests.enumerator.tasks"
USUAL: dict[str, Any] = {
    "app": [TASKS],
    "queues": ["default"],
    "executor": "thread",
    "concurrency": 1,
    "poll": 0.2,
    "shutdown_timeout": 0.5,
}


class Stage:
    """`direct` leads to the database, `proxied` through the proxy while a scenario is played."""

    def __init__(self, server: Server, database: str, zygote: Zygote, folder: Path, *, empty: bool = False) -> None:
        self.server_port = server.port
        self.database = database
        self.direct = server.dsn(database, tcp=True)
        self.proxied = self.direct
        self.conn = psycopg.connect(self.direct, autocommit=True)
        self._zygote = zygote
        self._folder = folder
        self._played = 0
        self._empty = empty
        witness.install_tables(self.conn)
        if not empty:
            witness.install_triggers(self.conn)

    def clear(self, proxy_port: int) -> None:
        """Make ready for the next play."""
        self._played += 1
        self.proxied = make_conninfo(self.direct, port=proxy_port)
        witness.wipe(self.conn)
        if self._empty:
            witness.drop_schema(self.conn)

    def send(self, target: str, *args: Any, expected: str | None = "succeeded", **options: Any) -> UUID:
        """Enqueue a job, and its order, beside the proxy; its task is given the way round the proxy first."""
        with self.conn.transaction():
            return self.order(self.conn, target, *args, expected=expected, **options)

    def order(
        self, conn: psycopg.Connection[Any], target: str, *args: Any, expected: str | None = "succeeded", **options: Any
    ) -> UUID:
        """Enqueue a job, and its order, in the transaction of `conn`; to be repeated with the same `job_id`."""
        job_id = options.pop("job_id", None) or new_job_id()
        conn.execute("insert into orders values (%s, %s) on conflict do nothing", [job_id, expected])
        answered = enqueue(conn, f"{TASKS}:{target}", [self.direct, *args], job_id=job_id, **options)
        assert answered.id == job_id
        return job_id

    def ask(self, question: str) -> Any:
        """The one value that a question answers."""
        row = self.conn.execute(question).fetchone()
        return row[0] if row else None

    def all_ended(self) -> bool:
        """Whether no job is left, and none is to come of a tick that is due."""
        left = "exists (select from pgqueue.jobs) or exists (select from pgqueue.waiting)"
        due = "select from pgqueue.schedules where next_at <= clock_timestamp()"
        return bool(self.ask(f"select not ({left}) and not exists ({due})"))

    def violations(self, ended: bool) -> list[str]:
        return violations_of(self.conn, ended=ended)

    def shut_gate(self) -> None:
        witness.shut_gate(self.conn)

    def open_gate(self) -> None:
        witness.open_gate(self.conn)

    def fork_worker(self, *, lease: float, **options: Any) -> ForkedWorker:
        """A worker process behind the proxy."""
        log = self._folder / f"{self.database}-{self._played}.log"
        return self._zygote.fork(log, {"dsn": self.proxied, **USUAL, "lease": lease, **options})

    def start_rescuer(self, *, lease: float) -> ThreadedWorker:
        """A healthy worker beside the proxy, which finishes what is left."""
        return ThreadedWorker(self.direct, **{**USUAL, "concurrency": 3, "lease": lease})
