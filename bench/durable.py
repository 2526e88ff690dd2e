"""`python -m bench.durable`: durable functions of ten steps, with DBOS and absurd beside us, each at its best.

On one server, by turns: each with each of its settings, and of each the best. A step does nothing; what is measured is
what remembering it costs. `--install` puts the others into an environment of their own below .bench/.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from statistics import median
from urllib.parse import urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench.manifest import ENVIRONMENTS, ROOT
from pgqueue import Durable, NewJob, embedded, enqueue_many, workflow
from pgqueue.migrate import migrate

JOBS, STEPS, ROUNDS = 1_000, 10, 3
PACKAGES = ("dbos==3.4.0", "absurd-sdk==0.5.1", "absurdctl==0.5.1")
HOME = ENVIRONMENTS / "durable"
PEERS = ROOT / "bench" / "durable_peers"
LIMIT = 600.0
# What each was tried with; of each the best counts.
OURS = ((executor, number) for executor in ("thread", "process", "async") for number in (4, 8, 16))
ABSURD = ((2, 16), (4, 16), (8, 16))
DBOS = ((8, 1), (16, 1), (8, 2), (8, 4))
_TOOK = "select count(*), extract(epoch from max(finished_at) - min(started_at))::float8 from pgqueue.attempts"


def nothing(number: int) -> int:
    """A step, as the others'."""
    return number


@workflow
def steps(ctx: Durable, count: int) -> int:
    """So many steps."""
    return sum(ctx.step(f"step {number}", nothing, number) for number in range(count))


def main() -> None:
    """Measure, and print functions a second."""
    options = argparse.ArgumentParser(prog="python -m bench.durable", description=__doc__)
    options.add_argument("--jobs", type=int, default=JOBS)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--install", action="store_true")
    given = options.parse_args()
    if given.install:
        _install()
    with tempfile.TemporaryDirectory() as folder, embedded.open(f"embedded:{folder}/postgres") as database:
        migrate(database.dsn)
        ways = _ways(database.dsn, given.jobs)
        # By turns, so that what else the machine does befalls all of them.
        found = {name: [] for name, _ in ways}
        for _ in range(given.rounds):
            for name, run in ways:
                found[name].append(given.jobs / run())
    for who in ("pgqueue", "absurd", "DBOS"):
        rates = {name: median(each) for name, each in found.items() if name.startswith(who)}
        if not rates:
            print(f"{who:8} not installed: python -m bench.durable --install")
            continue
        best = max(rates, key=lambda name: rates[name])
        each = found[best]
        print(f"{best:32} median {rates[best]:8,.0f} functions/s ({min(each):,.0f}-{max(each):,.0f})")


def _ways(dsn: str, jobs: int) -> list[tuple[str, Callable[[], float]]]:
    ways: list[tuple[str, Callable[[], float]]] = [
        (f"pgqueue, {executor}, {number}", lambda executor=executor, number=number: _ours(dsn, jobs, executor, number))
        for executor, number in OURS
    ]
    if not (HOME / "ready").exists():
        return ways
    for processes, claim in ABSURD:
        words = [str(PEERS / "absurd_.py"), dsn, jobs, STEPS, processes, claim]
        ways.append((f"absurd, {processes} processes, {claim}", lambda words=words: _theirs(words)))
    for threads, processes in DBOS:
        words = [str(PEERS / "dbos_.py"), _url(dsn), jobs, STEPS, threads, processes]
        ways.append((f"DBOS, {threads} threads, {processes} processes", lambda words=words: _theirs(words)))
    return ways


def _url(dsn: str) -> str:
    """The same for SQLAlchemy, which knows URLs alone."""
    said = conninfo_to_dict(dsn)
    where = urlencode({"host": said["host"], "port": said["port"]})
    return f"postgresql+psycopg://{said['user']}@/{said['dbname']}?{where}"


def _ours(dsn: str, jobs: int, executor: str, concurrency: int) -> float:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("truncate pgqueue.attempts, pgqueue.steps")
        enqueue_many(conn, [NewJob("bench.durable:steps", [STEPS])] * jobs)
        conn.execute("vacuum analyze pgqueue.jobs")
    command = [sys.executable, "-m", "pgqueue", "--dsn", dsn, "worker", "-A", "bench.durable"]
    subprocess.run(
        [*command, "--burst", "-c", str(concurrency), "-x", executor],
        check=True,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=LIMIT,
    )
    with psycopg.connect(dsn) as conn:
        # From the first start to the last end: not how long a worker takes to begin.
        count, seconds = conn.execute(_TOOK).fetchone() or (0, 0.0)
        (remembered,) = conn.execute("select count(*) from pgqueue.steps").fetchone() or (0,)
    assert (count, remembered) == (jobs, jobs * STEPS), f"{count} jobs of {jobs}, {remembered} steps"
    return float(seconds)


def _theirs(words: Sequence[object]) -> float:
    command = [str(HOME / "bin" / "python"), *map(str, words)]
    said = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=LIMIT
    )
    return float(json.loads(said.stdout.splitlines()[-1])["seconds"])


def _install() -> None:
    if (HOME / "ready").exists():
        return
    ENVIRONMENTS.mkdir(exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True, timeout=LIMIT)
    subprocess.run([str(HOME / "bin" / "pip"), "install", "-q", *PACKAGES], check=True, timeout=LIMIT)
    (HOME / "ready").write_text("\n".join(PACKAGES))


if __name__ == "__main__":
    # The workflow is that of the module, not of __main__.
    from bench import durable

    durable.main()
