"""What people did: bulk actions, and the audit. Who does not see all queues sees what they did themselves."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pgqueue.dashboard.api.parameters import BEFORE_NUMBER
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages import audit as audit_page
from pgqueue.dashboard.pages import operations as page
from pgqueue.dashboard.pages.page import Asked
from pgqueue.operations import Left
from pgqueue.store.audit import Act
from pgqueue.store.operations import Operation


@dataclass(frozen=True, slots=True)
class Operations:
    """Bulk actions, the newest first; `next` is before which to go on, null at the end."""

    items: list[Operation]
    next: str | None


@dataclass(frozen=True, slots=True)
class OperationWhole(Operation):
    """A bulk action, and how many jobs it has still to look at; null where nobody could count them in time.

    `stands` is whether nobody drives it, though it runs.
    """

    left: Left | None
    stands: bool


@dataclass(frozen=True, slots=True)
class Acts:
    """What was done by hand, the newest first; `next` is before which to go on, null at the end."""

    items: list[Act]
    next: str | None


def listed(conn: Conn, asked: Asked) -> Operations:
    """A page of bulk actions."""
    told = page.load(conn, asked)
    return Operations([each.row for each in told["rows"]], _next(told["more"]))


def one(conn: Conn, asked: Asked) -> OperationWhole:
    """One bulk action."""
    found = page.load_one(conn, asked)
    told: page.Told = found["told"]
    known = {field.name: getattr(told.row, field.name) for field in fields(Operation)}
    return OperationWhole(**known, left=found["left"], stands=told.stands)


def done(conn: Conn, asked: Asked) -> Acts:
    """A page of the audit."""
    told = audit_page.load(conn, asked)
    return Acts(told["rows"], _next(told["more"]))


def _next(number: int | None) -> str | None:
    return None if number is None else str(number)


_PAGE = (BEFORE_NUMBER,)
ROUTES = (
    Route("operations", "/operations", "Bulk actions, the newest first", listed, Operations, _PAGE, page="/operations"),
    Route(
        "operation",
        "/operations/{number}",
        "One bulk action, and how far it is",
        one,
        OperationWhole,
        places={"number": "its number"},
        page="/operations/{number}",
    ),
    Route("audit", "/audit", "Who did what by hand, and why, the newest first", done, Acts, _PAGE, page="/audit"),
)
