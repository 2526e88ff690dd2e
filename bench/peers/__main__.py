"""Try every adapter that is installed with 200 jobs: `python -m bench.peers DSN [REDIS] [NAME...]`, a line each."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

import psycopg
from psycopg.conninfo import make_conninfo

from bench import settings
from bench.manifest import Peer, peers

JOBS, LIMIT = 200, 120.0
DATABASE = "bench_peers_check"


def main(dsn: str, *words: str) -> None:
    """One line a peer."""
    redis = next((word for word in words if "://" in word), None)
    names = [word for word in words if "://" not in word]
    for peer in peers():
        if names and peer.name not in names:
            continue
        if not peer.installed:
            print(f"{peer.name}: not installed")
        elif peer.store == "redis" and redis is None:
            print(f"{peer.name}: no Redis was named")
        else:
            print(f"{peer.name}: {_tried(peer, dsn, redis)}", flush=True)


def _tried(peer: Peer, dsn: str, redis: str | None) -> str:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"drop database if exists {DATABASE} with (force)")
        conn.execute(f"create database {DATABASE}")
    requests = [
        {"do": "setup", "dsn": make_conninfo(dsn, dbname=DATABASE), "redis": redis},
        {"do": "drain", "count": JOBS, "seconds": 20.0},
        {"do": "enqueue_bulk", "count": JOBS},
    ]
    done = subprocess.run(
        [str(word) for word in peer.command()],
        input="".join(json.dumps(request) + "\n" for request in requests),
        env={**os.environ, **peer.environment(settings.best(peer, "drain"))},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=LIMIT,
    )
    return "; ".join(_told(json.loads(line)) for line in done.stdout.splitlines())


def _told(answer: dict[str, object]) -> str:
    match answer:
        case {"error": error}:
            return f"failed: {error}"
        case {"version": version, "runtime": runtime}:
            return f"{version} on {runtime}"
        case {"count": int() as count, "seconds": float() as seconds}:
            return f"{count} jobs, {count / seconds:,.0f} /s"
        case {"latencies": list() as latencies}:
            return f"{statistics.median(latencies):.1f} ms"
    return str(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
