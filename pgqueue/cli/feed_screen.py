"""What a feed shows while it goes on: a bar on a terminal, elsewhere nothing but why it waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pgqueue.cli.errors import say
from pgqueue.cli.output import console
from pgqueue.feeding.progress import FeedProgress, Listener

# Seconds between two lines that say the same.
TELL_EVERY = 60.0


@contextmanager
def screen(total: int | None) -> Iterator[Listener]:
    """What hears of a feed's progress; `total` is how many items it has, if somebody knows."""
    shown = console(err=True)
    if not shown.is_terminal or shown.is_dumb_terminal:
        yield _Teller().hear
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[said]}", markup=False),
        TimeElapsedColumn(),
        console=shown,
        transient=True,
    )
    with bar:
        task = bar.add_task("feeding", total=total, said="")

        def hear(progress: FeedProgress) -> None:
            bar.update(task, completed=progress.items, description=_doing(progress), said=_said(progress, total))

        yield hear


def _doing(progress: FeedProgress) -> str:
    if progress.trouble is not None:
        return "waiting"
    return "feeding"


def _said(progress: FeedProgress, total: int | None) -> str:
    of = f" of {total:,}" if total else ""
    return f"{progress.items:,}{of} items, {progress.waiting:,} of {progress.buffer:,} waiting"


class _Teller:
    """Says on standard error why the feed does not get on, and when it does."""

    def __init__(self) -> None:
        self._told_at: float | None = None

    def hear(self, progress: FeedProgress) -> None:
        now = time.monotonic()
        if progress.trouble is None:
            if self._told_at is not None:
                say("going on")
            self._told_at = None
        elif self._told_at is None or now - self._told_at >= TELL_EVERY:
            self._told_at = now
            say(f"waiting: {progress.trouble}")
