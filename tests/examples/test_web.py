"""examples/web: the same application in four frameworks, each served by a real server and asked over HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import pgqueue
from tests.conftest import Connect
from tests.postgres import ROOT, free_port
from tests.waiting import wait_until

EXAMPLES = ROOT / "examples"
UVICORN = "uvicorn --log-level warning --port {port} web."
COMMANDS = {
    "fastapi": f"{UVICORN}fastapi_app:app",
    "flask": "web.flask_app {port}",
    "starlette": f"{UVICORN}starlette_app:app",
    "litestar": f"{UVICORN}litestar_app:app",
}


class Site:
    """One of the applications, as a process with a worker in it, and who asks it."""

    def __init__(self, framework: str, dsn: str, log: Path) -> None:
        port = free_port()
        given = conninfo_to_dict(dsn)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (EXAMPLES, ROOT))),
            "PGQUEUE_DSN": f"postgresql://{given['user']}@{given['host']}:{given['port']}/{given['dbname']}",
            "WEB_WORKER": "1",
        }
        command = [sys.executable, "-m", "tests.adopted", *COMMANDS[framework].format(port=port).split()]
        self._log = log
        with log.open("wb") as stream:
            self._process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
        # A connection a request: a server that has failed one closes it, perhaps a moment later.
        no_more = httpx.Limits(max_keepalive_connections=0)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, limits=no_more)

    def await_start(self) -> Site:
        """Return when it answers."""
        wait_until(lambda: self._answers() or self._process.poll() is not None, 60, "the site's start")
        assert self._process.poll() is None, self._log.read_text()
        return self

    def stop(self) -> int:
        """Ask it to end, and wait for that; answers its exit code."""
        self.http.close()
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()

    @property
    def text(self) -> str:
        """What it has said."""
        return self._log.read_text()

    def place(self, customer: str, cents: int) -> httpx.Response:
        return self.http.post("/orders", json={"customer": customer, "cents": cents})

    def _answers(self) -> bool:
        try:
            return self.http.get("/ops/queue/healthz").status_code == 200
        except httpx.TransportError:
            return False


FRAMEWORKS = ["fastapi", *(pytest.param(name, marks=pytest.mark.adopt) for name in ("flask", "starlette", "litestar"))]


@pytest.fixture(params=FRAMEWORKS)
def site(request: pytest.FixtureRequest, dsn: str, connect: Connect, tmp_path: Path) -> Iterator[Site]:
    connect(autocommit=True).execute((EXAMPLES / "web" / "schema.sql").read_text())  # type: ignore[arg-type]  # ours
    site = Site(request.param, dsn, tmp_path / "log")
    try:
        yield site.await_start()
    finally:
        code = site.stop()
    # As ^C: uvicorn ends by the signal that it has handled.
    assert code in (0, -signal.SIGINT), site.text


def test_an_order_is_placed_over_http_and_its_job_runs_or_neither_exists(site: Site, connect: Connect) -> None:
    conn = connect(autocommit=True)
    placed = site.place("ann", 1200)
    assert placed.status_code == 202, placed.text
    where = placed.headers["location"]
    assert where.endswith(f"/jobs/{placed.json()['job']}")
    # Committed before it was answered: nobody who follows the address comes too early.
    assert site.http.get(where).status_code == 200
    done: Any = wait_until(lambda: _at_end(site, where))
    assert done["receipt"] == {"order": placed.json()["order"], "cents": 1200, "tax": 200}

    bad = site.place("bob", -1).headers["location"]
    dead: Any = wait_until(lambda: _at_end(site, bad))
    assert (dead["state"], "negative price" in dead["error"]) == ("dead", True)

    # What fails at COMMIT is never said to be accepted, and leaves no job.
    assert site.place("ann", 5).status_code == 500
    assert _count(conn, "select count(*) from orders") == 2
    assert _count(conn, "select count(*) from pgqueue.job") == 2

    missing = site.http.get(f"/jobs/{uuid.uuid4()}")
    assert (missing.status_code, "never committed" in missing.text) == (404, True)
    waiting = pgqueue.enqueue(conn, "web.tasks:make_receipt", [9, 9], delay=3600)
    assert site.http.delete(f"/jobs/{waiting.id}").json() == {"state": "cancelled"}
    page = site.http.get("/ops/queue/jobs").text
    assert f'href="/ops/queue/jobs/{waiting.id}"' in page
    assert 'href="/jobs' not in page


def _at_end(site: Site, where: str) -> dict[str, Any] | None:
    job: dict[str, Any] = site.http.get(where).json()
    return job if job["state"] in ("succeeded", "dead") else None


def _count(conn: psycopg.Connection[Any], question: str) -> int:
    row = conn.execute(question).fetchone()  # type: ignore[call-overload]
    return int(row[0])
