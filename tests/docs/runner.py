"""Runs the blocks of one page in order, in a folder and a database of its own, as a reader would.

python     run in one module; or written to the file that its first line names (`# shop/tasks.py`); `python append`
           is put at the end of that file; `python excerpt` must be part of an example
js, bash, go, ruby, java, php
           written to the file that its first line names (`// resize.js`); tests/languages runs what no page can
console    each `$ command` in bash; what stands below it must be what it prints (`...` stands for anything),
           and where nothing does, it must exit with 0. Exported variables stay. A worker without --burst goes
           on until the page ends, and must then end well
sql        run on the page's database; `sql excerpt` must be part of pgqueue's own SQL
toml, yaml, json, ini, dockerfile
           parsed
text, mermaid
           for the eye
"""

from __future__ import annotations

import configparser
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import yaml

from pgqueue import embedded
from pgqueue.migrate import repeatables
from tests.dockerfiles import stages_of
from tests.docs.pages import Block
from tests.postgres import ROOT
from tests.waiting import wait_until

COMMAND_TIMEOUT = 60.0
PARSERS: Mapping[str, Callable[[str], object]] = {
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
    "json": json.loads,
    "ini": lambda text: configparser.ConfigParser(strict=False, interpolation=None).read_string(text),
    "dockerfile": stages_of,
}
FOR_THE_EYE = {"text", "mermaid"}
_GOES_ON = re.compile(r"^pgqueue (.* )?worker\b(?!.*--burst)")


class PageRun:
    """One reader: a folder, an environment, a Python session, and the workers they left running.

    `commands` is a folder that comes first on the PATH, but for a worker that goes on: that is a process as installed.
    """

    def __init__(self, folder: Path, env: Mapping[str, str], dsn: str, commands: Path | None = None) -> None:
        self.folder = folder
        self._first = f"{commands}{os.pathsep}" if commands else ""
        self._env = {**env, "PATH": self._first + env["PATH"]}
        self.dsn = dsn
        self._session: subprocess.Popen[str] | None = None
        self._workers: list[tuple[subprocess.Popen[bytes], Path]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker, _ in self._workers:
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(COMMAND_TIMEOUT) for worker, _ in self._workers]
        if self._session is not None:
            self._session.communicate(timeout=COMMAND_TIMEOUT)
        if error is None:
            assert not any(codes), [log.read_text() for _, log in self._workers]

    @property
    def embedded_dsn(self) -> str:
        """How to reach the reader's own PostgreSQL, which somebody uses."""
        found = embedded.status(Path(self._env["XDG_DATA_HOME"]) / "pgqueue" / "postgres").dsn
        assert found is not None
        return found

    def run(self, block: Block) -> None:
        """Run one block; fails with its place."""
        match block.kind:
            case "python" | "js" | "bash" | "go" | "ruby" | "java" | "php" if block.file:
                (self.folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                with (self.folder / block.file).open("a" if "append" in block.marks else "w") as file:
                    file.write(block.text)
            case "python" if "excerpt" in block.marks:
                assert _spaced(block.text) in _examples(), f"{block.place} is not part of an example"
            case "python":
                self._run_python(block)
            case "console":
                for command, printed in commands_of(block):
                    self._run_command(block, command, printed)
            case "sql" if "excerpt" in block.marks:
                assert _spaced(block.text) in _own_sql(), f"{block.place} is not part of pgqueue's SQL"
            case "sql":
                with psycopg.connect(self.dsn, autocommit=True) as conn:
                    conn.execute(block.text.encode())
            case kind if kind in PARSERS:
                PARSERS[kind](block.text)
            case kind:
                assert kind in FOR_THE_EYE, f"{block.place}: a block of kind {kind!r} cannot be run; mark it as text"

    def _run_python(self, block: Block) -> None:
        if self._session is None:
            command = [sys.executable, "-m", "tests.docs.session"]
            pipe = subprocess.PIPE
            env = self._env | {"PYTHONPATH": str(ROOT)}
            self._session = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=self.folder, env=env)
        assert self._session.stdin
        assert self._session.stdout
        self._session.stdin.write(json.dumps({"env": self._env, "place": block.place, "text": block.text}) + "\n")
        self._session.stdin.flush()
        trouble = json.loads(self._session.stdout.readline() or '"the block ended its process"')
        assert not trouble, f"{block.place}\n{trouble}"

    def _run_command(self, block: Block, command: str, printed: str) -> None:
        if _GOES_ON.match(command):
            self._start_worker(command)
            return
        kept = self.folder / ".environment"
        script = f"set -a\n{command}\n__code=$?\nenv -0 > {kept}\nexit $__code"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_TIMEOUT,
        )
        where = f"{block.place}: $ {command}\n{done.stdout}"
        if printed:
            assert matches(printed, done.stdout), f"{where}is not\n{printed}"
        else:
            assert done.returncode == 0, f"{where}exit code {done.returncode}"
        if kept.exists():
            pairs = (pair.partition("=") for pair in kept.read_text().split("\0") if pair)
            self._env = {name: value for name, _, value in pairs if not name.startswith("__")}

    def _start_worker(self, command: str) -> None:
        log = self.folder / f"worker-{len(self._workers)}.log"
        env = self._env | {"PATH": self._env["PATH"].removeprefix(self._first)}
        with log.open("wb") as stream:
            worker = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self.folder, env=env, stdout=stream, stderr=stream
            )
        self._workers.append((worker, log))
        wait_until(
            lambda: "worker started" in log.read_text() or worker.poll() is not None, timeout=30, message=command
        )
        assert worker.poll() is None, log.read_text()


def commands_of(block: Block) -> list[tuple[str, str]]:
    """Each command with what is to be printed; a line that ends with a backslash goes on."""
    found: list[tuple[str, str]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found and not found[-1][1] and found[-1][0].endswith("\\"):
            found[-1] = f"{found[-1][0]}\n{line}", ""
        else:
            assert found, f"{block.place}: a console block begins with `$ command`"
            found[-1] = found[-1][0], f"{found[-1][1]}{line}\n"
    return found


def matches(pattern: str, text: str) -> bool:
    """Whether a text is what a page shows; `...` stands for anything, runs of blanks for one."""
    parts = [re.escape(part) for part in re.split(r" ?\.\.\. ?", _spaced(pattern).strip())]
    return re.fullmatch(".*?".join(parts), _spaced(text).strip(), re.DOTALL) is not None


def reader_environment(dsn: str, home: Path) -> dict[str, str]:
    """The environment of somebody whose libpq knows the server, and whose PATH has `pgqueue`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "VIRTUAL", "NO_COLOR"))}
    given = psycopg.conninfo.conninfo_to_dict(dsn)
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]]),
        "HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PGHOST": str(given["host"]),
        "PGPORT": str(given["port"]),
        "PGUSER": str(given["user"]),
        "PGDATABASE": str(given["dbname"]),
        "PGQUEUE_DSN": f"postgresql:///{given['dbname']}",
    }


def _spaced(text: str) -> str:
    return re.sub(r"[ \t]+", " ", re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE))


@cache
def _own_sql() -> str:
    return _spaced("\n".join(repeatables()))


@cache
def _examples() -> str:
    return _spaced("\n".join(path.read_text() for path in sorted((ROOT / "examples").rglob("*.py"))))
