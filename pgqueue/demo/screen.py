"""What the demo says while it runs: a progress bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TextIO

WIDEST_BAR = 40
# Where there is no bar, a line each time another of these parts is done.
PARTS = 4


class Screen:
    """Writes to `stream` (standard output); every line carries the seconds since the beginning."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._has_bar = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._began = time.monotonic()
        self._parts = 0
        self._bar = ""

    def say(self, text: str) -> None:
        """Write a line of the course of events."""
        self.write(f"{time.monotonic() - self._began:5.1f} s  {text}")

    def write(self, text: str = "") -> None:
        """Write lines as they are; the bar, if there is one, stays below them."""
        self._stream.write(f"{self._wiped()}{text}\n{self._bar}")
        self._stream.flush()

    def progress(self, done: int, total: int) -> None:
        """Show how far it is."""
        if self._has_bar:
            bar = _bar(done, total)
            if bar != self._bar:
                wiped, self._bar = self._wiped(), bar
                self._stream.write(wiped + bar)
                self._stream.flush()
        elif (parts := done * PARTS // max(1, total)) > self._parts:
            self._parts = parts
            self.say(_said(done, total))

    def end_progress(self) -> None:
        """Take the bar away."""
        self._stream.write(self._wiped())
        self._stream.flush()
        self._bar = ""

    def _wiped(self) -> str:
        return "\r\x1b[K" if self._bar else ""


def _bar(done: int, total: int) -> str:
    said = _said(done, total)
    room = shutil.get_terminal_size().columns - len(said) - 14
    if room < 10:
        return said
    width = min(WIDEST_BAR, room)
    filled = width * done // max(1, total)
    return f"         [{'#' * filled}{'.' * (width - filled)}]  {said}"


def _said(done: int, total: int) -> str:
    # Right-aligned, so that the bar keeps its width.
    return f"{done:,}".rjust(len(f"{total:,}")) + f" of {total:,} jobs have ended"
