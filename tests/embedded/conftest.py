"""Embedded databases in folders of their own, and processes that use them."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pgqueue import embedded
from pgqueue.embedded import Server
from tests.postgres import ROOT

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class User:
    """Another process that uses the embedded database of a test."""

    process: subprocess.Popen[str]

    @property
    def saw(self) -> int:
        """The pid of the postmaster that it found or started; waits until the database is open."""
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def leave(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(30) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)


NewUser = Callable[[], User]


@pytest.fixture(scope="session")
def pristine(servers_folder: Path) -> Path:
    """A cluster that was never started, to be copied: quicker than initdb."""
    server = Server(servers_folder / "pristine")
    server.initdb(sync=False, wal_segment_mb=1)
    return server.folder


@pytest.fixture
def unmade_folder(servers_folder: Path) -> Iterator[Path]:
    """A folder that does not exist yet, for an embedded database; stopped and removed after the test."""
    folder = servers_folder / f"embedded-{next(_numbers)}"
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(unmade_folder: Path, pristine: Path) -> Path:
    """The folder of an embedded database that exists and does not run."""
    shutil.copytree(pristine, unmade_folder)
    return unmade_folder


@pytest.fixture
def dsn(unmade_folder: Path) -> str:
    """Names the folder, whether `folder` made it or not."""
    return f"embedded:{unmade_folder}"


@pytest.fixture
def new_user(dsn: str) -> Iterator[NewUser]:
    """Start a process that opens the test's database."""
    started: list[subprocess.Popen[str]] = []

    def new_user() -> User:
        command = [sys.executable, "-m", "tests.embedded.user", dsn]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT))
        return User(started[-1])

    yield new_user
    for process in started:
        process.kill()
        with process:
            pass
