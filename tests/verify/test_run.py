"""The verifier itself, run: what holds, what does not, and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue.embedded import Server
from pgqueue.verify.planted_bugs import PlantedBug
from tests.postgres import ROOT
from tests.waiting import wait_until

HELD, VIOLATED, INCONCLUSIVE, INTERRUPTED = 0, 1, 5, 130
DATABASES = "select datname from pg_database where datname like 'pgqueue_verify_%'"


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """`pgqueue verify` with these words, as a shell would start it; its scratch files go to `folder`."""
    env = {name: value for name, value in os.environ.items() if name != "PGQUEUE_DSN"}
    folder.chmod(0o711)
    return subprocess.Popen(
        [sys.executable, "-m", "pgqueue", "verify", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**env, "TMPDIR": str(folder)},
        start_new_session=True,
    )


def run(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Its exit code, and its report."""
    verifier = started(folder, "--json", *words)
    try:
        out, said = verifier.communicate(timeout=400)
    finally:
        verifier.kill()
    assert out, said
    return verifier.returncode, json.loads(out)


def processes_in(folder: Path) -> list[int]:
    """The processes whose environment or words name the folder; none where there is no /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.fixture
def folder(servers_folder: Path, request: pytest.FixtureRequest) -> Path:
    """A folder that a server that runs as another user can reach, swept in the end."""
    folder = servers_folder / f"verify-{len(list(servers_folder.iterdir()))}"
    folder.mkdir()
    return folder


@pytest.mark.faults
def test_a_short_run_breaks_no_promise_and_leaves_nothing_behind(folder: Path) -> None:
    code, report = run(folder, "--minutes", "0.25", "--seed", "11")
    assert report["violations"] == [], report
    assert (report["deadlocks"], report["surprises"], report["log_others"]) == (0, [], [])
    assert (code, report["verdict"]) in [(HELD, "held"), (INCONCLUSIVE, "inconclusive")]
    assert list(folder.iterdir()) == []
    # A child whose worker has ended follows it within a second.
    wait_until(lambda: processes_in(folder) == [], 15.0, "no process is left")


@pytest.mark.faults
def test_on_a_server_that_is_named_it_keeps_to_a_database_of_its_own(folder: Path, private_server: Server) -> None:
    dsn = private_server.dsn(tcp=True)
    pid = private_server.pid
    code, report = run(folder, "--minutes", "0.2", "--seed", "12", "--dsn", dsn)
    assert report["violations"] == [], report
    assert code in (HELD, INCONCLUSIVE)
    assert not [name for name in report["states"]["faults"] if "restart" in name or "outage" in name]
    assert private_server.pid == pid
    with psycopg.connect(dsn) as conn:
        assert conn.execute(DATABASES).fetchall() == []
        assert conn.execute("select to_regnamespace('pgqueue'), to_regnamespace('verify')").fetchone() == (None, None)


@pytest.mark.faults
def test_interrupted_in_the_storm_it_leaves_no_process_and_no_folder(folder: Path) -> None:
    verifier = started(folder, "--minutes", "5")
    try:
        wait_until(lambda: len(list(folder.glob("*/workers.log"))) == 1, 60.0, "its workers run")
        os.kill(verifier.pid, signal.SIGINT)
        _, said = verifier.communicate(timeout=60)
    finally:
        verifier.kill()
    assert verifier.returncode == INTERRUPTED
    assert "no process is left behind" in said
    assert list(folder.iterdir()) == []
    # A child whose worker has ended follows it within a second.
    wait_until(lambda: processes_in(folder) == [], 15.0, "no process is left")


@pytest.mark.faults
def test_killed_it_takes_everything_with_it(folder: Path) -> None:
    verifier = started(folder, "--minutes", "5")
    try:
        wait_until(lambda: len(list(folder.glob("*/workers.log"))) == 1, 60.0, "its workers run")
    finally:
        verifier.kill()
        verifier.communicate(timeout=60)
    wait_until(lambda: not list(folder.iterdir()) and not processes_in(folder), 60.0, "nothing is left")


@pytest.mark.faults
@pytest.mark.parametrize(
    ("bug", "found"),
    [
        (PlantedBug.SETTLE_FENCE, {"foreign", "after_end"}),
        (PlantedBug.FAIL_FENCE, {"foreign", "after_end", "overlap"}),
        (PlantedBug.LEASE_CHECK, {"lease"}),
        (PlantedBug.WINDOW, {"window"}),
        (PlantedBug.LIMIT_LOCK, {"limit"}),
        (PlantedBug.LIMIT_COUNT, {"lane"}),
        (PlantedBug.LANE, {"lane"}),
        (PlantedBug.LET_GO, {"share"}),
        (PlantedBug.METER, {"rate"}),
        (PlantedBug.START_LOCK, {"start"}),
        (PlantedBug.TICK, {"ticks"}),
        (PlantedBug.EFFECT_CLAIM, {"effect"}),
        (PlantedBug.EFFECT_EARLY, {"effect"}),
        (PlantedBug.MEMO, {"step"}),
        (PlantedBug.SLEEPER, {"unended", "lost"}),
        (PlantedBug.GATE_COUNT, {"unended"}),
        (PlantedBug.GATE_EARLY, {"joined"}),
    ],
)
def test_a_planted_bug_is_found_and_named(folder: Path, bug: PlantedBug, found: set[str]) -> None:
    # Beside other tests a minute may bring fewer of the faults that uncover it.
    for seed in ("13", "14", "15"):
        code, report = run(folder, "--minutes", "1", "--seed", seed, "--plant", bug)
        if code == VIOLATED:
            break
    assert (code, report["verdict"]) == (VIOLATED, "violated")
    assert {violation["rule"] for violation in report["violations"]} & found
