"""How long what people ask takes: a command, in this process; a page, of a dashboard in a process of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from http.client import HTTPConnection
from io import StringIO
from tempfile import NamedTemporaryFile

from pgqueue.cli.app import main
from pgqueue.dashboard.api import hash_token
from pgqueue.dashboard.api.route import BASE
from pgqueue.errors import PgqueueError

_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")
START_LIMIT = 30.0
# Of a dashboard that nobody else reaches.
TOKEN = "only-for-the-measures-of-this-benchmark"


def seconds_of_command(words: str, dsn: str) -> float:
    """How long a command takes, from its first line to its last. Raises PgqueueError if it fails, alarms aside."""
    said, faults = StringIO(), StringIO()
    argv, sys.argv = sys.argv, ["pgqueue", *words.split()]
    os.environ["PGQUEUE_DSN"] = dsn
    began = time.perf_counter()
    try:
        with redirect_stdout(said), redirect_stderr(faults):
            main()
        code: object = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = argv
    taken = time.perf_counter() - began
    if code not in (0, 1) or faults.getvalue().startswith("Error"):
        raise PgqueueError(f"pgqueue {words}: code {code}: {faults.getvalue().strip()}")
    return taken


def seconds_to_start() -> float:
    """How long a process takes until it could ask: what each command of a shell takes besides."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pgqueue", "--version"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


class Browser:
    """One that runs no scripts."""

    def __init__(self, port: int) -> None:
        self._port = port

    def seconds_of(self, address: str) -> float:
        """How long a page takes until its last byte. Raises PgqueueError if it is no page."""
        conn = HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {"authorization": f"Bearer {TOKEN}"} if address.startswith(BASE) else {"accept": "text/html"}
        began = time.perf_counter()
        try:
            conn.request("GET", address, headers=headers)
            answer = conn.getresponse()
            body = answer.read()
            taken = time.perf_counter() - began
        finally:
            conn.close()
        if answer.status != 200:
            raise PgqueueError(f"{address}: {answer.status}: {_said(body)}")
        return taken


@contextmanager
def dashboard(dsn: str) -> Iterator[tuple[int, int]]:
    """The command `pgqueue dashboard` of a database: its port, and the id of its process."""
    words = [sys.executable, "-u", "-m", "pgqueue", "dashboard", "--port", str(_free_port())]
    with NamedTemporaryFile("w", prefix="pgqueue-bench-") as tokens:
        tokens.write(f"bench:viewer:{hash_token(TOKEN)}\n")
        tokens.flush()
        process = subprocess.Popen(
            [*words, "--api", tokens.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PGQUEUE_DSN": dsn},
        )
        with _ended(process):
            yield _port(process), process.pid


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if found := _ADDRESS.search(line):
            _await(int(found[1]))
            return int(found[1])
    raise PgqueueError("the dashboard did not start")


def _await(port: int) -> None:
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            Browser(port).seconds_of("/healthz")
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _said(body: bytes) -> str:
    text = re.sub(r"<[^>]*>|\s+", " ", body.decode(errors="replace"))
    return " ".join(text.split())[-300:]
