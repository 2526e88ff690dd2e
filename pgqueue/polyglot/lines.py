"""What a program says of itself: JSON lines on stdout, and words on stderr. Bounded, whatever it prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from pgqueue.context import JobContext
from pgqueue.errors import ProgramFailed
from pgqueue.job_log import LEVELS
from pgqueue.outcome import LONGEST_DELAY

# Bytes of a line, a result among them; and of the end of stderr that stands with an error.
LONGEST_LINE, TAIL = 1 << 20, 8 * 1024
# Characters of a line that cannot be read.
_SHOWN = 200


class Split:
    """Cuts what is read into lines. What has no end yet is kept, up to `longest` bytes."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._begun: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that end with this. Raises ProgramFailed for one that is too long."""
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            yield self._ended(line)
        if rest:
            self._keep(rest)

    def last(self) -> Iterator[bytes]:
        """What stands behind the last end of a line."""
        if self._size:
            yield self._ended(b"")

    def _ended(self, line: bytes) -> bytes:
        self._keep(line)
        whole = b"".join(self._begun)
        self._begun.clear()
        self._size = 0
        return whole

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._longest:
            raise ProgramFailed(
                f"it printed a line of more than {self._longest:,} bytes; let it store what is large, and print where"
            )
        self._begun.append(part)


class Said:
    """What the lines of stdout have said so far: a result, an error, a delay; and what of it made no sense first."""

    def __init__(self, job: JobContext) -> None:
        self.result: Any = None
        self.error: str | None = None
        self.delay: float | None = None
        self.fault: str | None = None
        self._job = job
        self._number = 0

    def take(self, line: bytes) -> None:
        """One line: an object is a message, and what is none is a line of the log."""
        self._number += 1
        if not line.lstrip().startswith(b"{"):
            self._log(line.decode(errors="replace").rstrip())
            return
        try:
            said = json.loads(line.decode(), parse_constant=_no_number)
            if not self._understood(said):
                self._log(line.decode().rstrip())
        except (ValueError, TypeError, RecursionError) as error:
            # An OptionError is a ValueError: of progress that is no number.
            if self.fault is None:
                shown = self._job.hide(line.decode(errors="replace"))[:_SHOWN]
                self.fault = f"line {self._number} of its output cannot be read: {error}: {shown}"

    def _understood(self, said: dict[str, Any]) -> bool:
        """Take what is in a message; whether there was anything."""
        known = said.keys() & {"result", "error", "delay", "log", "progress"}
        if "result" in known:
            self.result = said["result"]
        if "error" in known:
            self.error = _text(said["error"])
        if "delay" in known:
            self.delay = _delay(said["delay"])
        if "log" in known:
            level = said.get("level", "info")
            self._job.log.keep(level if level in LEVELS else "info", _text(said["log"]))
        if "progress" in known:
            note = said.get("note")
            self._job.progress(said["progress"], said.get("total"), None if note is None else _text(note))
        return bool(known)

    def _log(self, text: str) -> None:
        if text:
            self._job.log.keep("info", text)


class Words:
    """What a program says on stderr: lines of the log, and its end beside an error."""

    def __init__(self, job: JobContext) -> None:
        self._job = job
        self._tail = bytearray()
        self._is_cut = False
        # What is longer is cut there, and no mistake.
        self._line = bytearray()

    def take(self, chunk: bytes) -> None:
        """A part of it."""
        self._tail += chunk
        if len(self._tail) > TAIL:
            self._is_cut = True
            del self._tail[:-TAIL]
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            self._line += line[:TAIL]
            self.end_line()
        self._line += rest[:TAIL]
        del self._line[TAIL:]

    def end_line(self) -> None:
        """Log what stands there, if it is anything."""
        if text := self._line.decode(errors="replace").rstrip():
            self._job.log.keep("warning", text)
        self._line.clear()

    @property
    def tail(self) -> str:
        """The last of it, by whole lines: a part of one could be a part of a secret."""
        text = self._tail.decode(errors="replace")
        return (text.partition("\n")[2] if self._is_cut else text).strip()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _delay(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_DELAY:
        raise ValueError(f"delay must be seconds, from 0 to {LONGEST_DELAY:g}, got {value!r:.80}")
    return float(value)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
