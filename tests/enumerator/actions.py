"""What is done to a request: the moment at which the world goes wrong, and how."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from tests.enumerator.requests import Request


class Action(StrEnum):
    """`before`: it has not reached the server. `after`: it was answered, so it has committed; the answer is held."""

    CUT_BEFORE = "cut before"
    CUT_AFTER = "cut after"
    # This connection alone, for twice the lease.
    STALL_BEFORE = "stall before"
    STALL_AFTER = "stall after"
    # All connections of the worker, for twice the lease: others take its jobs meanwhile.
    FREEZE_BEFORE = "freeze before"
    FREEZE_AFTER = "freeze after"
    # SIGKILL; of a client: it ends here, and nobody repeats what it did.
    KILL_BEFORE = "kill before"
    KILL_AFTER = "kill after"
    # SIGSTOP past the lease, while others take its jobs, then SIGCONT.
    STOP_BEFORE = "stop before"
    STOP_AFTER = "stop after"
    SERIALIZATION_FAILURE = "error 40001"
    ADMIN_SHUTDOWN = "error 57P01"
    DISK_FULL = "error 53100"
    LOCK_NOT_AVAILABLE = "error 55P03"

    @property
    def sqlstate(self) -> str | None:
        """The error that is answered in place of the server's answer."""
        return self.partition("error ")[2] or None

    @property
    def is_after(self) -> bool:
        return self.endswith("after")

    @property
    def hands_over(self) -> bool:
        """Whether the healthy worker begins at once, while the other is away; else when it is back."""
        return self.startswith(("freeze", "kill", "stop"))


CUTS = (Action.CUT_BEFORE, Action.CUT_AFTER)
STALLS = (Action.STALL_BEFORE, Action.STALL_AFTER)
FREEZES = (Action.FREEZE_BEFORE, Action.FREEZE_AFTER)
KILLS = (Action.KILL_BEFORE, Action.KILL_AFTER)
STOPS = (Action.STOP_BEFORE, Action.STOP_AFTER)
ERRORS = (Action.SERIALIZATION_FAILURE, Action.ADMIN_SHUTDOWN, Action.DISK_FULL, Action.LOCK_NOT_AVAILABLE)
# What can befall a client, which holds no lease.
CLIENT_ACTIONS = (*CUTS, *STALLS, *KILLS, *ERRORS)
WORKER_ACTIONS = tuple(Action)


class Point(NamedTuple):
    """One request, and what befalls it."""

    request: Request
    action: Action

    def __str__(self) -> str:
        return f"{self.request}: {self.action}"
