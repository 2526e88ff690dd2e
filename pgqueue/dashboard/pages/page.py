"""What a page is: a question to the database, and the regions in which its answer is shown and kept fresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pgqueue.dashboard.auth import User
from pgqueue.dashboard.checkup import Checkup
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.memory import Memory
from pgqueue.errors import PgqueueError
from pgqueue.redaction import Redaction

# So long may a name be that an address asks for.
LONGEST_NAME = 1_000


class Missing(PgqueueError):
    """There is nothing of that name, or nothing that exists for whoever asks."""


class Elsewhere(Exception):
    """What was asked for stands on another page."""

    def __init__(self, page: str, **params: Any) -> None:
        super().__init__(page)
        self.page, self.params = page, params


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a page, with which parts of its address."""

    user: User
    query: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    redaction: Redaction = field(default_factory=Redaction)
    checkup: Checkup | None = None
    memory: Memory = field(default_factory=Memory)

    def text(self, name: str) -> str | None:
        """A parameter of the address; None if it is not there, or empty, or nothing that a name could be."""
        value = self.query.get(name, "").strip()
        return value if value and len(value) <= LONGEST_NAME and "\0" not in value else None

    def name(self, name: str) -> str:
        """A name that the address must have, as it is."""
        value = self.query.get(name, "")
        if not value or len(value) > LONGEST_NAME or "\0" in value:
            raise Missing("the address names nothing")
        return value

    def id(self, name: str) -> UUID | None:
        """An id in the address; None if it is not there, or is none."""
        try:
            return UUID(self.query.get(name, ""))
        except ValueError:
            return None


Load = Callable[[Conn, Asked], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its template is NAME.html, and those of its regions stand in the folder NAME."""

    name: str
    path: str
    load: Load
    regions: tuple[str, ...]
