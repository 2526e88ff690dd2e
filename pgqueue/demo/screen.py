"""What the demo says while it runs: a progress bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

# Where there is no bar, a line each time another of these parts is done.
PARTS = 4
# Columns where nobody sees the edge.
UNBOUNDED = 1_000_000


class Screen:
    """Writes to `stream` (standard output); every line carries the seconds since the beginning."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = stream or sys.stdout
        self._console = Console(
            file=stream,
            width=None if stream.isatty() else UNBOUNDED,
            color_system=None if os.environ.get("NO_COLOR") else "auto",
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._began = time.monotonic()
        self._parts = 0
        self._bar = Progress(
            TextColumn("        "),
            BarColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            # Whoever makes progress says so: no thread of its own is needed to draw it.
            auto_refresh=False,
            transient=True,
        )
        self._task = self._bar.add_task("", start=False)
        self._has_bar = self._console.is_terminal and not self._console.is_dumb_terminal

    def say(self, text: str) -> None:
        """Write a line of the course of events."""
        self.write(f"{time.monotonic() - self._began:5.1f} s  {text}")

    def write(self, text: str = "") -> None:
        """Write lines as they are; the bar, if there is one, stays below them."""
        self._console.print(text, soft_wrap=True)
        self._console.file.flush()

    def progress(self, done: int, total: int) -> None:
        """Show how far it is."""
        if self._has_bar:
            self._bar.start()
            self._bar.update(self._task, total=total, completed=done, description=_said(done, total), refresh=True)
        elif (parts := done * PARTS // max(1, total)) > self._parts:
            self._parts = parts
            self.say(_said(done, total))

    def end_progress(self) -> None:
        """Take the bar away."""
        if self._has_bar:
            self._bar.stop()


def _said(done: int, total: int) -> str:
    # Right-aligned, so that the bar keeps its width.
    return f"{done:,}".rjust(len(f"{total:,}")) + f" of {total:,} jobs have ended"
