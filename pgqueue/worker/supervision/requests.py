"""What other threads want of the main thread: that it ends this enlistment, or does what a human asked for."""

from __future__ import annotations

from collections.abc import Callable


class Requests:
    """Said from any thread, read by the main thread, which each word calls. The first reason of a kind stays."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        # Why the lease is gone: what runs must end now.
        self.lost: str | None = None
        # Why the worker id may not be used any more, though this process may go on: its tokens could be issued twice.
        self.renew: str | None = None
        # Why this process should not go on, though its lease stands: what runs may finish.
        self.retire: str | None = None
        # What stands in the worker's row: quiet, stop, or nothing.
        self.asked: str | None = None

    def lose(self, why: str) -> None:
        """The lease is gone."""
        self.lost = self.lost or why
        self._call()

    def renew_for(self, why: str) -> None:
        """A fresh id is needed."""
        self.renew = self.renew or why
        self._call()

    def retire_for(self, why: str) -> None:
        """Another process would do better."""
        self.retire = self.retire or why
        self._call()

    def ask(self, what: str | None) -> None:
        """A human asks for this, or for nothing any more."""
        if what != self.asked:
            self.asked = what
            self._call()
