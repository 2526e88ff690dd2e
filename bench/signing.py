"""`python -m bench.signing`: what signatures cost an enqueue, a batch, and a drain, by turns in each round.

Nobody signs; HMAC by a secret key; Ed25519, whose public half the worker has. Prints jobs a second, and the ratio to
those that nobody signs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psycopg

from pgqueue import NewJob, enqueue, enqueue_many, sign_with, task
from pgqueue.bench.server import durable_server
from pgqueue.keyring.making import add_pair, add_secret
from pgqueue.migrate import migrate

JOBS, ROUNDS = 20_000, 5
# By its name here: the program itself is __main__.
NOOP = "bench.signing:noop"
# Of one, each in a transaction of its own.
SINGLE = 3_000
_TOOK = "select extract(epoch from max(finished_at) - min(started_at))::float8 from pgqueue.attempts"


@task
def noop(number: int) -> None:
    """Nothing."""


def main() -> None:
    """Measure, and print the ratios."""
    options = argparse.ArgumentParser(prog="python -m bench.signing", description=__doc__)
    options.add_argument("--jobs", type=int, default=JOBS)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--executor", default="process", choices=["thread", "process"])
    given = options.parse_args()
    with durable_server() as server, tempfile.TemporaryDirectory() as name:
        dsn = server.dsn()
        migrate(dsn)
        ways = _ways(Path(name))
        rounds = [{way: _measured(dsn, *keys, given) for way, keys in ways.items()} for _ in range(given.rounds)]
    for what in ("enqueue", "enqueue_many", "drain"):
        for way in ways:
            rates = [each[way][what] for each in rounds]
            ratios = [each[way][what] / each["unsigned"][what] for each in rounds]
            print(
                f"{what:13} {way:9} median {median(rates):9,.0f} jobs/s"
                f"   {median(ratios):5.3f} x ({min(ratios):.3f}-{max(ratios):.3f})"
            )


def _ways(folder: Path) -> dict[str, tuple[str | None, str | None]]:
    """By which keys jobs are signed, and by which they are checked."""
    add_secret(folder / "secret")
    add_pair(folder / "private", folder / "public")
    return {
        "unsigned": (None, None),
        "hmac": (f"file:{folder / 'secret'}", f"file:{folder / 'secret'}"),
        "ed25519": (f"file:{folder / 'private'}", f"file:{folder / 'public'}"),
    }


def _measured(dsn: str, signing: str | None, checking: str | None, given: argparse.Namespace) -> dict[str, float]:
    sign_with(signing)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("truncate pgqueue.jobs, pgqueue.attempts")
        single = _rate(SINGLE, lambda: [enqueue(conn, NOOP, [number]) for number in range(SINGLE)])
        conn.execute("truncate pgqueue.jobs")
        batch = [NewJob(NOOP, [number]) for number in range(given.jobs)]
        many = _rate(given.jobs, lambda: enqueue_many(conn, batch))
        conn.execute("vacuum analyze pgqueue.jobs")
        _drain(dsn, checking, given)
        row = conn.execute(_TOOK).fetchone()
        left = conn.execute("select count(*) from pgqueue.jobs").fetchone()
        dead = conn.execute("select count(*) from pgqueue.dead_jobs").fetchone()
    assert row is not None
    assert (left, dead) == ((0,), (0,)), "all have succeeded"
    return {"enqueue": single, "enqueue_many": many, "drain": given.jobs / row[0]}


def _drain(dsn: str, checking: str | None, given: argparse.Namespace) -> None:
    command = [sys.executable, "-m", "pgqueue", "worker", "-A", "bench.signing", "--burst", "-c", "2"]
    required = [] if checking is None else ["--require-signature"]
    env = {name: value for name, value in os.environ.items() if name != "PGQUEUE_SIGNING_KEYS"}
    keys = {} if checking is None else {"PGQUEUE_SIGNING_KEYS": checking}
    subprocess.run(
        [*command, "-x", given.executor, *required],
        check=True,
        stderr=subprocess.DEVNULL,
        env=env | keys | {"PYTHONPATH": os.getcwd(), "PGQUEUE_DSN": dsn},
    )


def _rate(jobs: int, act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return jobs / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
