"""What a job says of itself, line by line: `job.log`. Bounded, harmless to print, without the secrets it was given.

Whoever runs the attempt keeps the lines; a job that says nothing costs nothing. A line is handed over by one append,
which no exception that is raised in the job's code can tear.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pgqueue.encryption import Kind
from pgqueue.errors import EncryptionError, KeyringError
from pgqueue.job_progress import LONGEST_NOTE, Gauge
from pgqueue.leaving_out import without
from pgqueue.printable import in_lines, in_one_line
from pgqueue.redaction import Redaction
from pgqueue.server_details import without_details

Level = Literal["debug", "info", "warning", "error"]
LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# Of an attempt; what comes after that is not kept, and one line says so.
MOST_LINES, MOST_BYTES = 1_000, 64 * 1024
# Bytes of a line.
LONGEST = 8 * 1024
# Characters of what was said that are looked at.
_LOOKED_AT = 8 * LONGEST
# The same of what is encrypted, whose text is longer: a line's and a note's (of 500 characters) that still fit.
LONGEST_ENCRYPTED, LONGEST_ENCRYPTED_NOTE = 5_900, 230
# What stands beside a text that is encrypted, in bytes, about.
_BESIDE_ENCRYPTED = 160
_TOO_MUCH = f"more was said and is not kept: an attempt keeps {MOST_LINES:,} lines, and {MOST_BYTES // 1024} KB"
_REDACTION = Redaction()


# A text of a kind as it is written, and its number if it is a line.
Kept = Callable[[Kind, str, int], str]


class Said(NamedTuple):
    """One line, and where it belongs. `at` is seconds since 1970."""

    job_id: UUID
    claim: int
    attempt: int
    seq: int
    at: float
    level: str
    line: str


class Outlet(NamedTuple):
    """Where lines go. `store` is from which level on what a task logs is kept, too; None: not at all.

    `show` takes how far the job is, `extend` for how many more seconds it is to run, and `advance` is told that it has
    come further than a crash before; None: nobody takes it.
    """

    put: Callable[[Said], object]
    store: str | None = None
    show: Callable[[Gauge], object] | None = None
    extend: Callable[[float], object] | None = None
    advance: Callable[[], object] | None = None


class Allowance:
    """How much of what an attempt says is kept."""

    __slots__ = ("_left", "_numbers")

    def __init__(self) -> None:
        # A count is drawn from by several threads, and no number twice.
        self._numbers = count(1)
        self._left = MOST_BYTES

    def seq(self, size: int) -> int | None:
        """The number of a line of so many bytes; None if it is too much, and the last number for the first of those."""
        if self._left <= 0:
            return None
        seq = next(self._numbers)
        self._left -= size
        if seq > MOST_LINES or self._left < 0:
            self._left = 0
            return min(seq, MOST_LINES + 1)
        return seq

    @property
    def is_used_up(self) -> bool:
        """Whether nothing more is kept."""
        return self._left <= 0


class JobLog:
    """Keeps lines with the attempt that runs: `job.log("read %s rows", n)`, and by level as a logger does.

    An attempt keeps 1,000 lines and 64 KB, a line 8 KB. Never waits, and never raises for what is said.
    """

    __slots__ = ("_allowance", "_args", "_claim", "_hide", "_kept", "_outlet", "_secrets")

    def __init__(
        self,
        claim: tuple[UUID, int, int],
        args: object,
        outlet: Outlet | None,
        hide: Callable[[str], str] = str,
        kept: Kept | None = None,
    ) -> None:
        self._kept = kept
        # Takes out what the task calls sensitive.
        self._hide = hide
        self._claim = claim
        self._args = args
        self._outlet = outlet
        self._allowance = Allowance()
        # Of the arguments; looked for when the first line is said.
        self._secrets: frozenset[str] | None = None

    def __call__(self, message: object, *args: object) -> None:
        """Keep a line; `args` are put into it as logging does."""
        self.keep("info", message, args)

    def debug(self, message: object, *args: object) -> None:
        """Keep a line that is for who looks closely."""
        self.keep("debug", message, args)

    def info(self, message: object, *args: object) -> None:
        """Keep a line."""
        self.keep("info", message, args)

    def warning(self, message: object, *args: object) -> None:
        """Keep a line about something that is not as it should be."""
        self.keep("warning", message, args)

    def error(self, message: object, *args: object) -> None:
        """Keep a line about something that went wrong."""
        self.keep("error", message, args)

    def keep(self, level: Level, message: object, args: tuple[Any, ...] = ()) -> None:
        """Keep a line of this level."""
        if self._outlet is None or self._allowance.is_used_up:
            return
        line = self._harmless(_worded(message, args, self._hide))
        size = len(line.encode())
        seq = self._allowance.seq(size if self._kept is None else size * 4 // 3 + _BESIDE_ENCRYPTED)
        if seq is None:
            return
        if self._allowance.is_used_up:
            level, line = "warning", _TOO_MUCH
        elif self._kept is not None:
            line = _encrypted(self._kept, Kind.LINE, line, LONGEST_ENCRYPTED, seq)
        self._outlet.put(Said(*self._claim, seq, time.time(), level, line))

    def keeps(self, number: int) -> bool:
        """Whether what is logged at this level of `logging` is kept, too."""
        return self._outlet is not None and self._outlet.store is not None and number >= LEVELS[self._outlet.store]

    def note(self, text: str) -> str:
        """A short text in one line, as harmless as a line of the log."""
        note = in_one_line(self._harmless(_worded(text, (), self._hide)), LONGEST_NOTE)
        if self._kept is None:
            return note
        return _encrypted(self._kept, Kind.NOTE, note, LONGEST_ENCRYPTED_NOTE)

    def _harmless(self, text: str) -> str:
        if self._secrets is None:
            self._secrets = _REDACTION.of_value("", self._args)[1] or frozenset()
        return shortened(in_lines(_REDACTION.in_report(without(without_details(text), self._secrets) or "")))


def shortened(line: str, longest: int = LONGEST) -> str:
    """A line of at most so many bytes."""
    if len(line) <= longest // 4 or len(raw := line.encode()) <= longest:
        return line
    return f"{raw[: longest - 60].decode(errors='ignore')}... ({len(line):,} characters)"


def _encrypted(kept: Kept, kind: Kind, text: str, longest: int, seq: int = 0) -> str:
    """A text as it is written; never in the clear, whatever is wrong with the keys."""
    try:
        return kept(kind, shortened(text, longest), seq)
    except (EncryptionError, KeyringError) as error:
        return f"not kept, since it could not be encrypted: {error!s:.120}"


def level_of(number: int) -> Level:
    """The level of a record of `logging`."""
    names: tuple[Level, ...] = ("error", "warning", "info")
    return next((name for name in names if number >= LEVELS[name]), "debug")


def _worded(message: object, args: tuple[Any, ...], hide: Callable[[str], str]) -> str:
    """The words of a task: they may not fit together, or raise anything."""
    try:
        text = str(message)
        if args:
            text = text % (args[0] if len(args) == 1 and isinstance(args[0], Mapping) else args)
        # Of str itself, whatever class it had; and before a part of what is hidden would be cut off.
        return hide("".join((text, "")))[:_LOOKED_AT]
    except Exception as error:
        return f"a line that cannot be put into words ({type(error).__name__})"
