"""Runs every measure, interleaved, and prints medians with their spread and the ratio to the raw ceiling."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench import ours, raw
from bench.server import durable_server
from pgqueue import __version__

EMPTY = "truncate pgqueue.jobs, pgqueue.attempts, pgqueue.results, pgqueue.dead_jobs"
Measure = Callable[[str], list[float]]


def main() -> None:
    options = _options()
    measures = _measures(options.jobs, options.samples)
    values: dict[str, list[float]] = {name: [] for name, _, _ in measures}
    with durable_server() as server:
        dsn = server.dsn()
        for number in range(1, options.rounds + 1):
            for name, _, measure in measures:
                with psycopg.connect(dsn, autocommit=True) as conn:
                    conn.execute(EMPTY)
                    conn.execute("checkpoint")
                values[name] += (found := measure(dsn))
                print(f"round {number}: {name}: {statistics.median(found):,.2f}", flush=True)
        with psycopg.connect(dsn) as conn:
            version = str(conn.info.server_version)
    print(_table(measures, values, options, version))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("a") as out:
        for name, found in values.items():
            line = {"at": datetime.now(UTC).isoformat(), "pgqueue": __version__, "postgresql": version}
            out.write(json.dumps({**line, "measure": name, "values": found}) + "\n")


def _measures(jobs: int, samples: int) -> list[tuple[str, str | None, Measure]]:
    """Each measure with the raw ceiling that it is compared with."""
    single = jobs // 10
    measures: list[tuple[str, str | None, Measure]] = [
        ("insert one by one, raw /s", None, lambda dsn: [raw.insert_one_by_one(dsn, single)]),
        ("enqueue one by one /s", "insert one by one, raw /s", lambda dsn: [ours.enqueue_one_by_one(dsn, single)]),
        ("COPY, raw /s", None, lambda dsn: [raw.copy(dsn, jobs)]),
        ("enqueue_many /s", "COPY, raw /s", lambda dsn: [ours.enqueue_in_bulk(dsn, jobs)]),
        ("settle-and-claim loop, raw /s", None, lambda dsn: [_raw_drain(dsn, jobs)]),
    ]
    for executor in ours.NOOPS:
        measures.append(
            (
                f"drain, {executor} /s",
                "settle-and-claim loop, raw /s",
                lambda dsn, executor=executor: [ours.drain(dsn, jobs, executor)],  # type: ignore[misc]  # bound early
            )
        )
    measures.append(("LISTEN then select, raw ms", None, lambda dsn: ours.pick_up_raw(dsn, samples)))
    for executor in ("thread", "process"):
        measures.append(
            (
                f"pick-up, {executor} ms",
                "LISTEN then select, raw ms",
                lambda dsn, executor=executor: ours.pick_up(dsn, samples, executor),  # type: ignore[misc]  # bound early
            )
        )
    return measures


def _raw_drain(dsn: str, jobs: int) -> float:
    raw.copy(dsn, jobs)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("vacuum analyze pgqueue.jobs")
    return raw.step_loop(dsn, jobs)


def _table(
    measures: list[tuple[str, str | None, Measure]],
    values: dict[str, list[float]],
    options: argparse.Namespace,
    version: str,
) -> str:
    lines = [
        f"pgqueue {__version__}, PostgreSQL {version}, Python {platform.python_version()},"
        f" {os.cpu_count()} cores, {options.rounds} rounds interleaved, {options.jobs:,} jobs,"
        f" {options.samples} latencies a round",
        "",
        "| measure | median | min-max | p95 | p99 | ratio to raw |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, ceiling, _ in measures:
        found = sorted(values[name])
        median = statistics.median(found)
        tails = [f"{_quantile(found, share):,.2f}" if name.endswith("ms") else "" for share in (0.95, 0.99)]
        ratio = "" if ceiling is None else f"{median / statistics.median(values[ceiling]):.2f}"
        shown = f"{median:,.2f}" if name.endswith("ms") else f"{median:,.0f}"
        spread = f"{found[0]:,.1f}-{found[-1]:,.1f}" if name.endswith("ms") else f"{found[0]:,.0f}-{found[-1]:,.0f}"
        lines.append(f"| {name} | {shown} | {spread} | {tails[0]} | {tails[1]} | {ratio} |")
    return "\n".join(lines)


def _quantile(found: list[float], share: float) -> float:
    return found[min(len(found) - 1, int(len(found) * share))]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("bench/results/figures.jsonl"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
