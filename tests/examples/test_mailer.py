"""The example application mailer: a real mail server, and a worker that is killed at every point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgqueue
from tests.examples.mail_server import MailServer
from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.worker.benches import children_of, is_alive

EXAMPLES = ROOT / "examples"
# Where the worker is killed, by what the server hears, and what the next one finds: whether a mail is kept by then.
POINTS = {
    "connected": ("before the reservation", 0),
    "MAIL": ("behind the reservation", 0),
    "sent": ("behind the mail, before it is confirmed", 1),
    "QUIT": ("behind the confirmation", 1),
}


class Mailer:
    """Processes of the application: the producer, and workers."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self._dsn = dsn
        self._folder = folder
        self._workers: list[subprocess.Popen[bytes]] = []

    def write(self, letter: int) -> None:
        self._python("-m", "mailer.write", str(letter), "ann@example.org", "Your order", "It is on its way.").wait(30)

    def work(self, server: MailServer, queue: str = "mail", *more: str) -> subprocess.Popen[bytes]:
        """Start a worker."""
        command = ["-m", "pgqueue", "worker", "-A", "mailer.tasks", "-Q", queue, "-c", "1", "--lease", "2", *more]
        self._workers.append(self._python(*command, MAILER_SMTP=server.address))
        return self._workers[-1]

    def end(self) -> None:
        for worker in self._workers:
            kill(worker)

    def _python(self, *command: str, **env: str) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=EXAMPLES,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PGQUEUE_DSN": self._dsn, **env},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def kill(worker: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the worker and its children, which are gone when this returns."""
    if worker.poll() is None:
        pids = children_of(worker.pid)
        for pid in (worker.pid, *pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        worker.wait(10)
        wait_until(lambda: not any(map(is_alive, pids)))


@pytest.fixture
def mailer(dsn: str, tmp_path: Path) -> Iterator[Mailer]:
    mailer = Mailer(dsn, tmp_path)
    yield mailer
    mailer.end()


def test_a_letter_is_sent_once_however_often_it_is_written(mailer: Mailer, conn: psycopg.Connection[Any]) -> None:
    with MailServer() as server:
        mailer.write(1)
        assert mailer.work(server, "mail", "--burst").wait(30) == 0
        mailer.write(1)
        assert mailer.work(server, "mail", "--burst").wait(30) == 0
        assert server.message_ids == ["<letter-1@shop.example.org>"]
    effect = pgqueue.get_effect(conn, "letter:1")
    assert effect is not None
    assert effect.value == {"message_id": "<letter-1@shop.example.org>"}


@pytest.mark.faults
def test_no_letter_is_sent_twice_and_none_is_lost_in_silence_wherever_the_worker_is_killed(
    mailer: Mailer, dsn: str, connect: Callable[..., psycopg.Connection[Any]]
) -> None:
    conn = connect(autocommit=True)
    with ExitStack() as stack:
        servers = [_killing(stack, mailer, conn, word, letter) for letter, word in enumerate(POINTS, 1)]
        kept = [len(server.message_ids) for server in servers]
        assert kept == [mails for _, mails in POINTS.values()]
        last = stack.enter_context(MailServer())
        mailer.work(last, ",".join(POINTS))
        wait_until(lambda: not _one(conn, "select count(*) from pgqueue.jobs"), timeout=40, message="all jobs ended")
        found = {
            row[0]: row[1:]
            for row in conn.execute("select queue, state, reason, last_error from pgqueue.job").fetchall()
        }
        # Who was killed before or behind it all: the letter is sent, or known to have been.
        assert [found[word][0] for word in POINTS] == ["succeeded", "dead", "dead", "succeeded"]
        for word in ("MAIL", "sent"):
            assert found[word][1] == "buried"
            assert "nobody knows whether it was done" in found[word][2]
        assert last.message_ids == ["<letter-1@shop.example.org>"]
        # A human has looked: the one was not sent, the other was.
        assert pgqueue.forget_effect(conn, "letter:2")
        assert pgqueue.effect_done(conn, "letter:3")
        for (job_id,) in conn.execute("select id from pgqueue.dead_jobs").fetchall():
            pgqueue.retry(conn, job_id)
        ended = "select count(*) from pgqueue.job where state = 'succeeded'"
        wait_until(lambda: _one(conn, ended) == len(POINTS), timeout=40, message="all letters are done")
        sent = sorted(name for server in (*servers, last) for name in server.message_ids)
        assert sent == [f"<letter-{letter}@shop.example.org>" for letter in range(1, 5)]


def _killing(stack: ExitStack, mailer: Mailer, conn: psycopg.Connection[Any], word: str, letter: int) -> MailServer:
    """A worker of its own for one letter, killed as its server hears this word."""
    workers: list[subprocess.Popen[bytes]] = []
    server = stack.enter_context(MailServer(lambda heard: kill(workers[0]) if heard == word else None))
    args = [letter, "ann@example.org", "Your order", "It is on its way."]
    pgqueue.enqueue(conn, "mailer.tasks:send", args, queue=word)
    workers.append(mailer.work(server, word))
    workers[0].wait(40)
    assert workers[0].returncode == -signal.SIGKILL
    return server


def _one(conn: psycopg.Connection[Any], question: str) -> Any:
    row = conn.execute(question).fetchone()
    return row[0] if row else None
