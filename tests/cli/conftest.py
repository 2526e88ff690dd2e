"""The command line in this process, for what it prints; and in a process of its own, for what a shell sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgqueue.cli.app import main
from pgqueue.embedded import Server
from tests.postgres import ROOT

SHOP = "tests.cli.shop"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Ran]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def pgqueue(dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process, on the test's database: `pgqueue("jobs", "list")`."""
    monkeypatch.setenv("PGQUEUE_DSN", dsn)

    def pgqueue(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["pgqueue", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code: Any = 0
        except SystemExit as end:
            code = end.code or 0
        return Ran(int(code), *capsys.readouterr())

    return pgqueue


@pytest.fixture
def start(dsn: str) -> Iterator[Start]:
    """Start a command as a process, on the test's database; killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: object, **environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pgqueue", *map(str, words)]
        env = os.environ | {"PGQUEUE_DSN": dsn} | environment
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, env=env, cwd=ROOT
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def shell(start: Start) -> Command:
    """Run a command as a process to its end."""

    def shell(*words: object, **environment: str) -> Ran:
        process = start(*words, **environment)
        out, err = process.communicate(timeout=60)
        return Ran(process.returncode, out, err)

    return shell


@pytest.fixture
def bare_dsn(server: Server, database: str) -> Iterator[str]:
    """A database without the schema."""
    name = sql.Identifier(f"{database}_bare")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} template template0").format(name))
        yield server.dsn(f"{database}_bare", tcp=True)
        admin.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture
def enqueue(pgqueue: Command) -> Callable[..., str]:
    """Enqueue one of the shop's tasks, and answer its id: `enqueue("send_receipt", "[1]", "--delay", "1h")`."""

    def enqueue(task: str, *words: object) -> str:
        ran = pgqueue("enqueue", f"{SHOP}:{task}", *words)
        assert ran.code == 0, ran.err
        return ran.out.strip()

    return enqueue
