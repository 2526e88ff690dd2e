"""`pgqueue verify --protocol`: the page's worker keeps every promise, and one that breaks it is found by its check."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from pgqueue.embedded import Server
from pgqueue.verify.protocol.checks import CHECKS
from pgqueue.verify.protocol.program import variables
from pgqueue.verify.protocol.trial import STARTS
from tests.docs.pages import section_of
from tests.polyglot.node import PAGE, write_worker

pytestmark = pytest.mark.skipif(which("node") is None, reason="no node here")
COMMAND = "node worker.js ./conformance.js"
TASKS = """
import asyncio
import pgqueue

@pgqueue.task
async def echo(value: object) -> object:
    return value

@pgqueue.task
async def fail(message: str) -> None:
    raise ValueError(message)

@pgqueue.task
async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)
"""
# What is taken out of the worker, and the check that must find it.
Piece = tuple[str, str]
BREAKS: dict[str, list[Piece]] = {
    "lease": [("lease * 1000 / 3", "3600_000")],
    "claims": [("    done.claims.push(job.claim);", "    done.claims.push(job.claim - 1);")],
    "order": [
        ("[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"),
        ("1000000, false", "1000000, true"),
    ],
    "results": [("JSON.stringify(result ?? null)", 'JSON.stringify(String(result ?? ""))')],
    "failure": [("[error.message]", '["it failed"]')],
    "retry": [("job.attempt >= (job.max_attempts ?? 26)", "true")],
    "long": [('told.asked === "stop") stop();', 'told.asked === "stop") stop();\n    clearInterval(beating);')],
    "late": [
        (
            "    done.ids.push",
            '    await db.query("delete from pgqueue.jobs where id = $1", [job.id]);\n    done.ids.push',
        )
    ],
    "lost": [(".alive", ".alive && false")],
    "graceful": [("    if (result === LEFT) {", "    if (result === LEFT) {\n      process.exit(0);")],
    "asked": [('told.asked === "stop"', "false")],
    "unknown": [("if (!Object.hasOwn(tasks, job.target))", "if (false)")],
    "ttl": [("if (job.expired)", "if (false)")],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_worker(tmp_path)
    return tmp_path


def verify(server: Server, folder: Path, *words: str, command: str = COMMAND) -> tuple[int, Any, str]:
    """The exit code, the answer, and what was said."""
    told = ["--protocol", command, "--dsn", server.dsn("postgres", tcp=True), "--json", *words]
    done = subprocess.run(
        [sys.executable, "-m", "pgqueue", "verify", *told], cwd=folder, capture_output=True, text=True, timeout=240
    )
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


def test_a_check_passes_for_the_worker_of_the_page_and_leaves_no_database(server: Server, folder: Path) -> None:
    code, said, _ = verify(server, folder, "--only", "failure", "--only", "unknown")
    assert code == 0, said
    assert [(each["check"], each["found"]) for each in said["checks"]] == [("failure", None), ("unknown", None)]
    assert "pgqueue_verify_" not in " ".join(_databases(server))


def test_a_worker_that_breaks_a_promise_is_told_what_to_do(server: Server, folder: Path) -> None:
    _break(folder, "failure")
    code, said, _ = verify(server, folder, "--only", "failure")
    (check,) = said["checks"]
    assert (code, said["conforms"]) == (1, False)
    assert "it failed" in check["found"]
    assert "reason 'exhausted'" in check["cure"]


def test_a_command_that_ends_at_once_is_not_waited_for(server: Server, folder: Path) -> None:
    began = time.monotonic()
    code, said, heard = verify(server, folder, "--only", "lease", "--only", "claims", command="true")
    assert time.monotonic() - began < STARTS
    assert (code, len(said["checks"])) == (1, 2)
    assert all("has ended with 0, and had not enlisted" in each["found"] for each in said["checks"])
    assert "lease ..." in heard


@pytest.mark.parametrize(
    ("command", "words", "told"),
    [
        ("no-such-worker", [], "'no-such-worker' cannot be started"),
        ("node 'worker.js", [], "is no command line"),
        (COMMAND, ["--only", "speed"], "there is no check 'speed'; there are lease, claims"),
    ],
)
def test_what_cannot_be_tried_is_said(server: Server, folder: Path, command: str, words: list[str], told: str) -> None:
    code, _, said = verify(server, folder, *words, command=command)
    assert code == 2
    assert told in said


def test_the_page_names_every_check() -> None:
    section = section_of(PAGE, "Does yours conform?")
    assert section is not None
    assert all(f"| `{check.name}` | {check.promise} |" in section for check in CHECKS)
    assert set(BREAKS) == {check.name for check in CHECKS}


@pytest.mark.parametrize(
    ("dsn", "url"),
    [
        ("host=127.0.0.1 port=5433 user=ann dbname=shop", "postgresql://ann@127.0.0.1:5433/shop"),
        ("host=db user=a@b password='p/w d' dbname=shop", "postgresql://a%40b:p%2Fw%20d@db/shop"),
        ("host=/run/pg user=ann dbname=shop", "postgresql://ann@/shop?host=%2Frun%2Fpg"),
    ],
)
def test_the_database_is_told_as_a_url(dsn: str, url: str) -> None:
    assert variables(dsn)["PGQUEUE_DSN"] == url


@pytest.mark.adopt
def test_the_worker_of_the_page_keeps_every_promise(server: Server, folder: Path) -> None:
    code, said, told = verify(server, folder)
    assert [each for each in said["checks"] if each["found"]] == []
    assert (code, len(said["checks"])) == (0, len(CHECKS)), told


@pytest.mark.adopt
def test_the_worker_of_pgqueue_keeps_every_promise(server: Server, tmp_path: Path) -> None:
    (tmp_path / "conformance.py").write_text(TASKS)
    words = f'exec "{sys.executable}" -m pgqueue worker -A conformance -Q "$PGQUEUE_QUEUES" --lease "$PGQUEUE_LEASE"'
    code, said, told = verify(server, tmp_path, command=f"sh -c '{words}s -x async -c 1 --shutdown-timeout 3s'")
    assert [each for each in said["checks"] if each["found"]] == []
    assert code == 0, told


@pytest.mark.adopt
@pytest.mark.parametrize("name", BREAKS)
def test_a_worker_without_a_piece_of_it_fails_the_check_that_is_there_for_it(
    name: str, server: Server, folder: Path
) -> None:
    _break(folder, name)
    code, said, _ = verify(server, folder, "--only", name)
    (check,) = said["checks"]
    assert (code, check["check"]) == (1, name)
    assert check["found"]


def _break(folder: Path, name: str) -> None:
    worker = folder / "worker.js"
    for before, after in BREAKS[name]:
        assert before in worker.read_text()
        worker.write_text(worker.read_text().replace(before, after))


def _databases(server: Server) -> list[str]:
    import psycopg

    with psycopg.connect(server.dsn("postgres", tcp=True)) as conn:
        return [name for (name,) in conn.execute("select datname from pg_database")]
