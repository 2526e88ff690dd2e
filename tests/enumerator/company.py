"""Who plays: stages on which plays run side by side, and the process that forks their workers."""

from __future__ import annotations

import itertools
import queue
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from pgqueue.embedded import Server
from pgqueue.migrate import migrate
from tests.enumerator.actions import Point
from tests.enumerator.play import Played, play
from tests.enumerator.scenarios import Scenario
from tests.enumerator.stage import Stage
from tests.enumerator.zygote import Zygote
from tests.postgres import FAST, TEMPLATE, Databases, started_server, swept_folder

# Plays mostly wait.
AT_ONCE = 10
_numbers = itertools.count(1)

Sabotage = Callable[[psycopg.Connection[Any]], None]


@contextmanager
def assembled(server: Server, model: str, sabotage: Sabotage | None = None) -> Iterator[Company]:
    """A company whose databases are copies of `model`, which has pgqueue's schema; `sabotage` spoils each of them."""
    with tempfile.TemporaryDirectory() as folder:
        company = Company(server, model, Path(folder), sabotage)
        try:
            yield company
        finally:
            company.close()


@contextmanager
def assembled_alone() -> Iterator[Company]:
    """A company on a server of its own."""
    with swept_folder() as folder:
        server = started_server(folder / "server", FAST)
        databases = Databases(server)
        migrate(databases.create_template())
        with assembled(server, TEMPLATE) as company:
            yield company
        databases.close()
        server.stop("immediate")


class Company:
    """Databases are made when they are needed, and dropped by close()."""

    def __init__(self, server: Server, model: str, folder: Path, sabotage: Sabotage | None) -> None:
        self._server = server
        self._model = model
        self._folder = folder
        self._sabotage = sabotage
        self._admin = psycopg.connect(server.dsn(), autocommit=True)
        self._free: dict[bool, queue.SimpleQueue[Stage]] = {True: queue.SimpleQueue(), False: queue.SimpleQueue()}
        self._stages: list[Stage] = []
        self._zygote = Zygote()
        self._pool = ThreadPoolExecutor(AT_ONCE)

    def play(self, scenario: Scenario, points: Iterable[Point | None]) -> list[tuple[Point | None, Played]]:
        """Play a scenario once for each point, many side by side."""

        def one(point: Point | None) -> tuple[Point | None, Played]:
            with self._stage(scenario.empty) as stage:
                return point, play(scenario, stage, point)

        return list(self._pool.map(one, points))

    def deadlocks(self) -> int:
        """How many there were in all of its databases."""
        question = "select coalesce(sum(deadlocks), 0) from pg_stat_database where datname like 'enumerator%'"
        row = self._admin.execute(question).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """End all that it started."""
        self._pool.shutdown()
        self._zygote.close()
        for stage in self._stages:
            stage.conn.close()
            self._admin.execute(f"drop database {stage.database} with (force)")
        self._admin.close()

    @contextmanager
    def _stage(self, empty: bool) -> Iterator[Stage]:
        """A stage that nobody else uses meanwhile, with no schema on it if `empty`."""
        try:
            stage = self._free[empty].get_nowait()
        except queue.Empty:
            stage = self._new_stage(empty)
        yield stage
        self._free[empty].put(stage)

    def _new_stage(self, empty: bool) -> Stage:
        name = f"enumerator_{next(_numbers)}"
        self._admin.execute(f"create database {name} template {'template0' if empty else self._model}")
        stage = Stage(self._server, name, self._zygote, self._folder, empty=empty)
        if self._sabotage is not None:
            self._sabotage(stage.conn)
        self._stages.append(stage)
        return stage
