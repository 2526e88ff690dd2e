"""What people did: bulk actions, and the audit. They belong to no queue, so they exist for those who see all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from pgqueue import operations
from pgqueue.dashboard.api.parameters import BEFORE_NUMBER, limit
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.hidden import filter_shown
from pgqueue.dashboard.pages.page import Asked, Missing
from pgqueue.store import Statement, audit, execute
from pgqueue.store import operations as store
from pgqueue.store.audit import Act
from pgqueue.store.operations import Operation

USUAL, MOST = 50, 200


class Numbered(Protocol):
    """A row with a number."""

    @property
    def id(self) -> int:
        """Its number."""
        ...


R = TypeVar("R", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Operations:
    """Bulk actions, the newest first; `next` is before which to go on, null at the end."""

    items: list[Operation]
    next: str | None


@dataclass(frozen=True, slots=True)
class Acts:
    """What was done by hand, the newest first; `next` is before which to go on, null at the end."""

    items: list[Act]
    next: str | None


def listed(conn: Conn, asked: Asked) -> Operations:
    """A page of bulk actions."""
    before, most = _place(asked)
    rows, behind = _page(conn, asked, store.newest(before, most + 1), most)
    return Operations([_operation(row, asked) for row in rows], behind)


def one(conn: Conn, asked: Asked) -> Operation:
    """One bulk action."""
    number = asked.path["operation"]
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    sees_all = asked.user.queues is None
    row = seen(conn, lambda conn: operations.get(conn, int(number))) if is_number and sees_all else None
    if row is None:
        raise Missing(f"no operation {number[:40]}")
    return _operation(row, asked)


def done(conn: Conn, asked: Asked) -> Acts:
    """A page of the audit."""
    before, most = _place(asked)
    rows, behind = _page(conn, asked, audit.newest(before, most + 1), most)
    return Acts([replace(row, filter=filter_shown(row.filter, asked.user, asked.redaction)) for row in rows], behind)


def _operation(row: Operation, asked: Asked) -> Operation:
    return replace(row, filter=filter_shown(row.filter, asked.user, asked.redaction) or "")


def _place(asked: Asked) -> tuple[int | None, int]:
    before = asked.query.get("before")
    return None if before is None else int(before), int(asked.query.get("limit", USUAL))


def _page(conn: Conn, asked: Asked, statement: Statement[list[R]], most: int) -> tuple[list[R], str | None]:
    rows = seen(conn, lambda conn: execute(conn, statement)) if asked.user.queues is None else []
    return rows[:most], str(rows[most - 1].id) if len(rows) > most else None


_PAGE = (BEFORE_NUMBER, limit(MOST, USUAL))
ROUTES = (
    Route("operations", "/operations", "Bulk actions, the newest first", listed, Operations, _PAGE, page="/operations"),
    Route(
        "operation",
        "/operations/{operation}",
        "One bulk action, and how far it is",
        one,
        Operation,
        places={"operation": "its number"},
        page="/operations/{number}",
    ),
    Route("audit", "/audit", "Who did what by hand, and why, the newest first", done, Acts, _PAGE, page="/audit"),
)
