"""The whole demo, with real workers and real kills, on a small folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest

from pgqueue.demo import run_demo
from pgqueue.demo.database import SCHEMA
from pgqueue.errors import UsageError
from pgqueue.job import JobState
from tests import factories
from tests.conftest import Connect
from tests.postgres import ROOT
from tests.waiting import wait_until


def figure(out: str, name: str) -> int:
    """The number that the table shows in a row."""
    found = re.search(rf"^  {name} +([\d,]+)", out, re.MULTILINE)
    assert found, f"no row {name!r} in:\n{out}"
    return int(found[1].replace(",", ""))


def test_two_kills_lose_nothing_double_nothing_and_leave_nothing(
    dsn: str, connect: Connect, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_demo(dsn, files=files)
    out = capsys.readouterr().out
    assert code == 0, out
    assert "SIGKILL to child process" in out
    assert "SIGKILL to worker" in out
    assert figure(out, "documents") == len(files)
    assert figure(out, "succeeded") == len(files) - 1
    assert figure(out, "dead") == 1
    assert figure(out, "attempts lost to the kills") >= 2
    assert figure(out, "lost") == figure(out, "doubled") == 0
    assert re.search(r"latin\.py\n +UnicodeDecodeError: .*invalid continuation byte", out)
    conn = connect()
    for table in ("jobs", "dead_jobs", "attempts", "workers"):
        assert factories.count(conn, table) == 0
    assert conn.execute("select to_regnamespace(%s) is null", [SCHEMA]).fetchone() == (True,)


def test_interrupted_in_the_middle_it_leaves_no_process_behind(dsn: str, connect: Connect) -> None:
    conn = connect(autocommit=True)
    mark = f"PGQUEUE_TEST_MARK={uuid4()}"
    name, value = mark.split("=")
    demo = subprocess.Popen(
        [sys.executable, "-c", "import sys, pgqueue.demo; sys.exit(pgqueue.demo.run_demo(sys.argv[1]))", dsn],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, name: value},
        start_new_session=True,
    )
    try:
        wait_until(lambda: factories.count(conn, "attempts") > 10, 20.0, "jobs run")
        os.killpg(demo.pid, signal.SIGINT)
        out, _ = demo.communicate(timeout=20)
    finally:
        demo.kill()
    assert demo.returncode == 130
    assert "no process is left behind" in out
    wait_until(lambda: not marked(mark), 5.0, "its processes have ended")
    assert factories.count(conn, "workers") == factories.count(conn, "jobs") == 0


def marked(mark: str) -> list[int]:
    """The processes that have this in their environment; none where there is no /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("queues", [None, ["demo", "mail"]])
def test_a_worker_that_would_take_its_jobs_is_named(dsn: str, connect: Connect, queues: list[str] | None) -> None:
    other = factories.enlist(connect(autocommit=True), queues=queues)
    with pytest.raises(UsageError, match=f"worker {other} .* serves the queue demo"):
        run_demo(dsn, files=[])


def test_a_second_demo_on_the_same_database_is_refused(dsn: str, connect: Connect) -> None:
    connect().execute("select pg_advisory_lock(x'64656d6f'::int)")
    with pytest.raises(UsageError, match="another `pgqueue demo` runs"):
        run_demo(dsn, files=[])


def test_what_was_kept_goes_with_the_next_run_and_what_others_have_stays(
    dsn: str,
    connect: Connect,
    files: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    conn = connect(autocommit=True)
    theirs = {state: factories.make(conn, state) for state in (JobState.SUCCEEDED, JobState.DEAD, JobState.READY)}
    conn.execute("delete from pgqueue.workers")
    assert run_demo(dsn, keep=True, files=files[:3]) == 0
    out = capsys.readouterr().out
    assert all(f"{folder}/workers.log" in out for folder in tmp_path.iterdir())
    assert conn.execute(f"select count(*) from {SCHEMA}.documents").fetchone() == (3,)
    assert factories.count(conn, "attempts") == 2 + 3
    assert run_demo(dsn, files=files[:3]) == 0
    assert len(list(tmp_path.iterdir())) == 1
    assert conn.execute("select to_regnamespace(%s) is null", [SCHEMA]).fetchone() == (True,)
    assert factories.count(conn, "attempts") == 2
    assert {state: factories.state(conn, job) for state, job in theirs.items()} == {state: state for state in theirs}
