"""examples/thumbnails: good ones, plain ones, and a human's; each picture has one, whatever is killed."""

from __future__ import annotations

import importlib
import os
import random
import signal
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgqueue
from tests.conftest import Connect
from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.worker.running import WorkerProcess

EXAMPLES = ROOT / "examples"
SIZE = 90, 60


def png(path: Path, *, ends_at: float = 1.0) -> Path:
    """A picture whose rows are stored in every way that there is; as much of the file as is said."""
    width, height = SIZE
    chance = random.Random(path.name)
    raw = b"".join(bytes([y % 5]) + chance.randbytes(3 * width) for y in range(height))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(raw, 0))]
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in [*chunks, (b"IEND", b"")]:
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    path.write_bytes(data[: int(len(data) * ends_at)])
    return path


@pytest.fixture
def shop(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> psycopg.Connection[Any]:
    """A connection to a database with the example's table, and its modules within reach."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES))
    conn = connect(autocommit=True)
    conn.execute((EXAMPLES / "thumbnails" / "schema.sql").read_text())  # type: ignore[arg-type]  # its own file
    return conn


@pytest.fixture
def workers(dsn: str, tmp_path: Path) -> Iterator[Any]:
    """Start a worker as a process: `workers()`. Ended after the test."""
    started: list[WorkerProcess] = []

    def workers() -> WorkerProcess:
        log = tmp_path / f"worker-{len(started)}.log"
        started.append(
            WorkerProcess(dsn, log, app=["thumbnails.tasks"], queues=["thumbnails"], lease=2.0, poll=0.2, concurrency=2)
        )
        return started[-1].await_start()

    yield workers
    for worker in started:
        worker.close()


def made(conn: psycopg.Connection[Any]) -> dict[str, str | None]:
    """How the thumbnail of each picture was made."""
    return {Path(path).stem: by for path, by in conn.execute("select path, made_by from pictures").fetchall()}


def test_every_picture_has_one_thumbnail_whoever_made_it(
    shop: psycopg.Connection[Any], workers: Any, tmp_path: Path
) -> None:
    add = importlib.import_module("thumbnails.add").add_picture
    pictures = importlib.import_module("thumbnails.pictures")
    folder = tmp_path / "pictures"
    folder.mkdir()
    whole, half = png(folder / "whole.png"), png(folder / "half.png", ends_at=0.5)
    letter = folder / "letter.png"
    letter.write_text("Dear Sir or Madam")
    jobs = {path.stem: add(shop, path).id for path in (whole, half, letter)}
    workers()

    wait_until(lambda: pgqueue.get_job(shop, jobs["letter"]).state == "manual", 30)
    importlib.import_module("thumbnails.answer").answer(shop, str(jobs["letter"]), "drawn.png")
    results = {name: pgqueue.result(shop, job_id, timeout=30) for name, job_id in jobs.items()}
    assert results["letter"] == "drawn.png"
    assert made(shop) == {"whole": "averaged", "half": "picked", "letter": "a human"}
    found = {name: pgqueue.get_job(shop, job_id) for name, job_id in jobs.items()}
    assert {name: job.degraded for name, job in found.items()} == {"whole": False, "half": True, "letter": True}
    for name in ("whole", "half"):
        thumbnail = pictures.read(Path(results[name]))
        assert (thumbnail.width, thumbnail.height) == (64, 42)
    # A thumbnail of its own size is the picture itself, however its rows were stored.
    picture = pictures.read(whole)
    assert pictures.averaged(picture, 90).rows == pictures.picked(picture, 90).rows == picture.rows


def test_a_worker_that_is_killed_costs_no_picture_its_thumbnail(
    shop: psycopg.Connection[Any], workers: Any, tmp_path: Path
) -> None:
    add = importlib.import_module("thumbnails.add").add_picture
    jobs = [add(shop, png(tmp_path / f"{n}.png", ends_at=0.5 if n % 4 == 3 else 1.0)).id for n in range(24)]
    victim = workers()
    wait_until(lambda: list(tmp_path.glob("*.thumbnail.png")), 30)
    os.killpg(victim.pid, signal.SIGKILL)
    workers()
    for job_id in jobs:
        pgqueue.result(shop, job_id, timeout=40)
    by = made(shop)
    assert {name for name, how in by.items() if how == "picked"} == {str(n) for n in range(3, 24, 4)}
    assert set(by.values()) == {"averaged", "picked"}
    assert not list(tmp_path.glob("*.part"))
