"""The pages and the API of each tenant whose users look: all of its own, so that nothing is shared by mistake."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from pgqueue.dashboard.api import Api
from pgqueue.dashboard.site import Site

# The one that was looked at longest ago makes room: each may hold a few connections.
MOST = 100


@dataclass(frozen=True, slots=True)
class Opened:
    """The pages of one tenant, or of who has none, and its API if there is one."""

    site: Site
    api: Api | None


class Sites:
    """An ASGI application behind the guard: the pages of whoever asks."""

    def __init__(self, make: Callable[[str | None], Opened]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._opened: OrderedDict[str, Opened] = OrderedDict()  # guarded by the lock
        self.common = make(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        user = scope.get("pgqueue.user")
        await self.of(None if user is None else user.tenant).site.router(scope, receive, send)

    def of(self, tenant: str | None) -> Opened:
        """What this tenant's users see."""
        if tenant is None:
            return self.common
        with self._lock:
            found = self._opened.get(tenant)
            if found is None:
                found = self._opened[tenant] = self._make(tenant)
            self._opened.move_to_end(tenant)
            gone = self._opened.popitem(last=False)[1] if len(self._opened) > MOST else None
        if gone is not None:
            gone.site.close()
        return found

    def api_of(self, tenant: str) -> Api:
        """The API as this tenant's programs see it."""
        found = self.of(tenant).api
        assert found is not None, "a token came by an API"
        return found

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Every address that it answers."""
        return self.common.site.router.routes

    def close(self) -> None:
        """Close the connections to the database."""
        with self._lock:
            opened = [*self._opened.values(), self.common]
            self._opened.clear()
        for each in opened:
            each.site.close()
