"""The columns of a table of jobs: which there are, and which an address asks for."""

from __future__ import annotations

from collections.abc import Sequence

from pgqueue.dashboard.pages.page import Asked

# What each is called, and whether it holds numbers or times.
COLUMNS = {
    "state": ("State", False),
    "task": ("Task", False),
    "queue": ("Queue", False),
    "priority": ("Priority", True),
    "attempt": ("Attempt", True),
    "enqueued": ("Enqueued", True),
    "moment": ("Due or ended", True),
    "started": ("Started", True),
    "worker": ("Worker", False),
    "key": ("Unique key", False),
    "limit": ("Limit key", False),
    "reason": ("Reason", False),
    "error": ("Last error", False),
}
USUAL = ("state", "task", "queue", "attempt", "enqueued", "moment", "error")
# A box of the chooser is a parameter of its own, as it is sent without JavaScript.
BOX = "column."


def chosen(asked: Asked) -> Sequence[str]:
    """The columns that an address asks for, in their order; the usual ones if it asks for none."""
    wanted = (asked.text("columns") or "").split(",")
    return tuple(name for name in COLUMNS if name in wanted) or USUAL


def ticked(asked: Asked) -> str | None:
    """The columns whose boxes were ticked, as an address says them; None if nobody has sent the boxes."""
    if "choose" not in asked.query:
        return None
    names = tuple(name for name in COLUMNS if f"{BOX}{name}" in asked.query)
    return said(names) or ""


def said(names: Sequence[str]) -> str | None:
    """Columns as an address says them; None for the usual ones."""
    return None if tuple(names) == USUAL else ",".join(names)
