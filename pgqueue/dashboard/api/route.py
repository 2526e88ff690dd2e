"""What a route is: an address, what it may say, and the question whose answer it gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pgqueue.dashboard.api.parameters import Parameter
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages.page import Asked

BASE = "/api/v1"
Read = Callable[[Conn, Asked], Any]


@dataclass(frozen=True)
class Route:
    """A question by GET: `read` answers a value of the type `answer`, which is what its schema is made of.

    `page` is the page of the dashboard that shows the same, if there is one.
    """

    name: str
    path: str
    says: str
    read: Read
    answer: Any
    parameters: tuple[Parameter, ...] = ()
    page: str | None = None
    places: Mapping[str, str] = field(default_factory=dict)

    def match(self, path: str) -> dict[str, str] | None:
        """What stands in the places of the path; None if it is another one."""
        found = self._pattern.fullmatch(path)
        return None if found is None else found.groupdict()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", self.path)
        shape = "".join(f"(?P<{part}>[^/]+)" if odd % 2 else re.escape(part) for odd, part in enumerate(parts))
        return re.compile(shape)
