"""Forks of a job: a task may fork, and return in the copy, too. No second worker goes on from there."""

from __future__ import annotations

import os


class Process:
    """The id of this process, kept up to date by forks: to ask for it after each job costs a system call."""

    id = 0

    @classmethod
    def watched(cls) -> int:
        """The id now, and from now on in `id`."""
        if not cls.id:
            os.register_at_fork(after_in_child=cls._look)
            cls._look()
        return cls.id

    @classmethod
    def _look(cls) -> None:
        cls.id = os.getpid()


def end_copy(origin: int) -> None:
    """End this process if it is a copy of the one that began."""
    if Process.id != origin:
        os._exit(0)
