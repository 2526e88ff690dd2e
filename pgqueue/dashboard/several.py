"""One dashboard for several databases: a page with a line for each, and below /db/NAME/ all pages of each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import Receive, Scope, Send

from pgqueue.dashboard.app import Dashboard, create_app
from pgqueue.dashboard.auth import Auth
from pgqueue.dashboard.guard import Guard
from pgqueue.dashboard.links import Addresses
from pgqueue.dashboard.rendering import Renderer
from pgqueue.dashboard.static_files import StaticFiles
from pgqueue.each_database import ask_each, on_connection, place_named
from pgqueue.errors import DatabaseUnreachable
from pgqueue.store.dsn import read
from pgqueue.summaries import summary
from pgqueue.version import __version__

PATH = "/db/{name}"


def create_app_of_several(
    dsns: Sequence[str], *, auth: Auth | None = None, actions: bool = False, title: str = "pgqueue", **options: Any
) -> SeveralDashboards:
    """As create_app(), for several databases; `options` are passed on to it. Raises UsageError.

    A database is named by its DSN's dbname, and by a number behind that where it is not the only one.
    """
    named = names_of(dsns)
    apps = {
        name: create_app(dsn, auth=auth, actions=actions, title=f"{title} · {name}", **options)
        for name, dsn in named.items()
    }
    return SeveralDashboards(named, apps, auth, title)


def names_of(dsns: Sequence[str]) -> dict[str, str]:
    """The DSNs by the names that stand in addresses."""
    named: dict[str, str] = {}
    for dsn in dsns:
        name = wanted = _name_of(dsn)
        number = 1
        while name in named:
            number += 1
            name = f"{wanted}-{number}"
        named[name] = dsn
    return named


def _name_of(dsn: str) -> str:
    try:
        dbname = str(read(dsn).get("dbname") or "default")
    except DatabaseUnreachable:
        dbname = "embedded"
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", dbname).strip("-.") or "database"


class SeveralDashboards:
    """An ASGI application; close it with aclose(), as a server does that speaks of its life span."""

    def __init__(self, dsns: Mapping[str, str], apps: Mapping[str, Dashboard], auth: Auth | None, title: str) -> None:
        self._dsns, self._apps = dsns, apps
        self._files, self._renderer = StaticFiles(), Renderer(None)
        self._common = {"title": title, "version": __version__, "asks_users": auth is not None}
        router = Router(
            [
                Route("/", self._list),
                Route("/static/{digest}/{name}", self._files.__call__),
            ],
            redirect_slashes=False,
            default=self._nowhere,
        )
        self._guard = Guard(router, auth, ())
        # Each of these has a guard of its own. These two say nothing of anybody.
        self._router = Router(
            [
                Route("/healthz", self._health),
                Route("/readyz", self._health),
                *(Mount(PATH.format(name=name), app) for name, app in apps.items()),
            ],
            redirect_slashes=False,
            default=self._guard,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._router(scope, receive, send)

    async def aclose(self) -> None:
        """Close the connections to all databases."""
        for app in self._apps.values():
            await app.aclose()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await (self.aclose() if message["type"] == "lifespan.shutdown" else asyncio.sleep(0))
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _health(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _list(self, request: Request) -> Response:
        user = request.scope["pgqueue.user"]
        rows: list[tuple[str, str, Any]] = [(name, place_named(dsn), None) for name, dsn in self._dsns.items()]
        # Who sees some queues alone, or a tenant's jobs, is shown no sums of all.
        if user.queues is None and user.tenant is None:
            told = await asyncio.to_thread(ask_each, list(self._dsns.values()), on_connection(summary))
            rows = [(name, each.database, each) for name, each in zip(self._dsns, told, strict=True)]
        root = request.scope.get("root_path", "").rstrip("/")
        here = Addresses(root, {"overview": "/", "database": f"{PATH}/"}, self._files.hashes)
        html = self._renderer.other("databases.html", here, {**self._common, "user": user, "rows": rows})
        return HTMLResponse(html.encode(errors="replace"))

    async def _nowhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = str(scope.get("root_path", "")).rstrip("/")
        if root and scope["path"] == root:
            response: Response = RedirectResponse(f"{root}/", 303)
        else:
            response = PlainTextResponse("no page of this name\n", 404)
        await response(scope, receive, send)
