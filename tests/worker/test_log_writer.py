"""Log lines that nobody takes: who logs does not wait, what is lost is counted and said, and the end is in time."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from pgqueue.worker.log_writer import MOST_WAITING, LogWriter, flush_all, say_last
from tests.waiting import wait_until
from tests.worker.running import ANY_KIND, Desk, is_alive

LINE = "x" * 999 + "\n"
MANY = 3 * MOST_WAITING // len(LINE)


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """A reading end that nobody reads, and a stream to it."""
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    yield reader, stream
    # Whoever still writes gets an error, so that the stream can be closed.
    os.close(reader)
    flush_all()
    stream.close()


def said(lines: int) -> str:
    return f"dropped {lines}\n"


def read_all(reader: int, until: str) -> str:
    text = ""
    while not text.endswith(until):
        text += os.read(reader, 1 << 20).decode()
    return text


def test_nobody_waits_for_lines_that_nobody_takes(pipe: tuple[int, TextIO]) -> None:
    reader, stream = pipe
    log = LogWriter(stream, said)
    for _ in range(MANY):
        log.write(LINE, 1)
    log.flush(0.05)
    # Somebody reads again: in order what was kept, and how much was not.
    drained = threading.Thread(target=lambda: texts.append(read_all(reader, "last\n")))
    texts: list[str] = []
    drained.start()
    log.flush(10)
    log.write("last\n", 1)
    drained.join(10)
    *lines, last = texts[0].splitlines()
    assert last == "last"
    kept = lines.count(LINE[:-1])
    told = [line for line in lines if line != LINE[:-1]]
    assert kept + sum(int(line.removeprefix("dropped ")) for line in told) == MANY
    assert 0 < kept < MANY


def test_what_waits_is_bounded(pipe: tuple[int, TextIO]) -> None:
    log = LogWriter(pipe[1], said)
    for _ in range(MANY):
        log.write(LINE, 1)
        assert log._size <= MOST_WAITING


def test_a_stream_that_breaks_hurts_nobody_and_what_it_lost_is_said(tmp_path: Path) -> None:
    class Disk(io.StringIO):
        full = True

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return super().write(text)

    disk = Disk()
    log = LogWriter(disk, said)
    for number in range(5):
        log.write("lost\nlost\n", 2)
        wait_until(lambda number=number: log._dropped == 2 * number + 2)  # type: ignore[misc]  # bound early
    disk.full = False
    log.write("kept\n", 1)
    wait_until(disk.getvalue)
    assert disk.getvalue() == "kept\ndropped 10\n"


def test_a_closed_stream_is_no_error_of_who_logs() -> None:
    stream = io.StringIO()
    stream.close()
    log = LogWriter(stream, said)
    log.write(LINE, 1)
    log.flush(0.05)


def test_the_last_word_is_not_waited_for_longer_than_a_moment(pipe: tuple[int, TextIO]) -> None:
    os.set_blocking(pipe[0], False)
    say_last(pipe[1], "end\n")
    assert os.read(pipe[0], 100) == b"end\n"
    began = time.monotonic()
    say_last(pipe[1], LINE * 1000, 0.05)
    assert time.monotonic() - began < 5


def test_what_was_logged_is_written_when_the_process_ends() -> None:
    code = (
        "import sys\nfrom pgqueue.worker.log_writer import LogWriter\n"
        "log = LogWriter(sys.stderr, str)\n"
        "for n in range(1000): log.write(f'{n} é \\udc80\\n', 1)\n"
        "raise LookupError"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONUTF8": "1"})
    lines = ended.stderr.splitlines()
    assert [line for line in lines if "é" in line] == [f"{n} é \\udc80" for n in range(1000)]
    assert any("LookupError" in line for line in lines)


@pytest.mark.parametrize("kind", ANY_KIND)
@pytest.mark.parametrize("style", ["text", "json"])
def test_a_worker_whose_log_nobody_reads_works_on_and_stops_in_its_time(
    desk: Desk, dsn: str, kind: str, style: str
) -> None:
    options = ["-c", "2", "-x", kind, "--log-format", style, "--log-level", "debug", "--shutdown-timeout", "1s"]
    worker = subprocess.Popen(
        [sys.executable, "-m", "pgqueue", "worker", "-A", "tests.worker.errands,tests.worker.logging_tasks", *options],
        env={**os.environ, "PGQUEUE_DSN": dsn},
        stderr=subprocess.PIPE,
    )
    try:
        # More than a pipe takes: 64 kB.
        for _ in range(3):
            desk.conn.execute("select pgqueue.enqueue('tests.worker.errands:work') from generate_series(1, 1000)")
            desk.await_all_ended()
        # Nor do tasks wait that log.
        desk.conn.execute("select pgqueue.enqueue('tests.worker.logging_tasks:tell_much', '[3000]')")
        desk.await_all_ended()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(1 + 2 + 5) == 0
        assert desk.workers() == []
    finally:
        worker.kill()
        worker.communicate()
    assert not is_alive(worker.pid)
