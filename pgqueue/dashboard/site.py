"""Requests and answers: which page, for whom; whole, its regions alone, or the stream of its changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, Router

from pgqueue.dashboard.actions import ACTIONS
from pgqueue.dashboard.actions.action import Action
from pgqueue.dashboard.acts import ACT, SAID, Acts, Forbidden
from pgqueue.dashboard.checkup import Checkup
from pgqueue.dashboard.database import Busy, Reads
from pgqueue.dashboard.driver import Driver
from pgqueue.dashboard.exporting import EXPORT, Exports
from pgqueue.dashboard.links import Addresses, Link
from pgqueue.dashboard.live import PERIODS, USUAL, Poller, Stream
from pgqueue.dashboard.memory import Memory
from pgqueue.dashboard.offers import Offers
from pgqueue.dashboard.pages import PAGES
from pgqueue.dashboard.pages.page import Asked, Elsewhere, Missing, Page
from pgqueue.dashboard.readiness import Readiness
from pgqueue.dashboard.rendering import Regions, Renderer
from pgqueue.dashboard.scraped import Scraped
from pgqueue.dashboard.seals import Seals
from pgqueue.dashboard.static_files import StaticFiles
from pgqueue.errors import DatabaseUnreachable, PgqueueError, SchemaError
from pgqueue.redaction import Redaction
from pgqueue.version import __version__

# Which page a menu leads to: its name, what stands there, and the key that goes there after g.
MENU = (
    ("overview", "Overview", "o"),
    ("queues", "Queues", "q"),
    ("jobs", "Jobs", "j"),
    ("running", "Running", "r"),
    ("dead", "Dead", "d"),
    ("causes", "Causes", "c"),
    ("workflows", "Workflows", "k"),
    ("workers", "Workers", "w"),
    ("schedules", "Schedules", "s"),
    ("limits", "Limits", "l"),
    ("feeds", "Feeds", "f"),
    ("operations", "Operations", "b"),
    ("audit", "Audit", "a"),
    ("settings", "Settings", "e"),
    ("doctor", "Doctor", "x"),
)
# Seconds since the last look of the poller.
FRESH, LONGEST_AGE = 1.0, 120.0
_log = logging.getLogger("pgqueue.dashboard")


class Site:
    """All pages of one dashboard."""

    def __init__(
        self,
        reads: Reads,
        *,
        primary: Reads | None,
        seals: Seals,
        redaction: Redaction,
        title: str,
        links: Sequence[Link],
        zone: ZoneInfo | None,
        asks_users: bool,
    ) -> None:
        self._reads, self._primary, self._redaction, self._seals = reads, primary, redaction, seals
        self.memory = Memory()
        self._scraped = Scraped(reads.dsn)
        self.checkup = None if reads.dsn is None else Checkup(reads.dsn)
        self._renderer, self._poller, self._files = Renderer(zone), Poller(), StaticFiles()
        self._driver = None if primary is None else Driver(primary.lend)
        self._acts = None if primary is None else Acts(reads, primary, self._renderer, seals, redaction, self.wake)
        self._exports = Exports(reads, redaction)
        self._paths = {"act": ACT, "export": EXPORT, **{page.name: page.path for page in PAGES}}
        self._common = {
            "title": title,
            "links": links,
            "zone": zone.key if zone else "browser",
            "asks_users": asks_users,
            "menu": MENU,
            "version": __version__,
            "periods": PERIODS,
            "usual": USUAL,
        }
        self.router = Router(
            [
                Route("/healthz", self._health),
                Route("/readyz", Readiness(reads).answer),
                Route("/metrics", self._scraped.answer),
                Route("/static/{digest}/{name}", self._files.__call__),
                Route(EXPORT, self._export),
                *(Route(page.path, partial(self._answer, page)) for page in PAGES),
                *(Route(each.path, partial(self._act, each), methods=["GET", "POST"]) for each in self._actions),
            ],
            redirect_slashes=False,
            default=self._nowhere,
        )

    def wake(self) -> None:
        """Drive the bulk actions that were begun here, unless a worker does."""
        if self._driver is not None:
            self._driver.wake()

    def close(self) -> None:
        """Close the connections to the database."""
        if self._driver is not None:
            self._driver.close()
        self._scraped.close()
        self._reads.close()
        if self._primary is not None:
            self._primary.close()

    @property
    def _actions(self) -> Sequence[Action]:
        return ACTIONS if self._acts is not None else ()

    async def _health(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _answer(self, page: Page, request: Request) -> Response:
        asked = Asked(
            request.scope["pgqueue.user"],
            {name: value for name, value in request.query_params.items() if not name.startswith("_")},
            request.path_params,
            self._redaction,
            self.checkup,
            self.memory,
        )
        here = self._here(request)
        if self._driver is not None:
            # What the process before this one had not finished.
            self._driver.wake_once()
        look = partial(self._look, page, asked, here)

        async def answer() -> Response:
            if "text/event-stream" in request.headers.get("accept", ""):
                return self._stream(request, _key(page, asked, here), look)
            # Who was told of a change is shown what was found then; who comes anew, what there is; who has just acted,
            # what that led to.
            age = LONGEST_AGE if "x-regions" in request.headers else FRESH
            known = None if SAID in request.query_params else self._poller.shown(_key(page, asked, here), age)
            return self._shown(request, known or await look(), here)

        return await self._answered(request, here, answer())

    async def _act(self, action: Action, request: Request) -> Response:
        assert self._acts is not None, "without acts there are no such routes"
        here = self._here(request)
        return await self._answered(request, here, self._acts.answer(action, request, here, self._common))

    async def _export(self, request: Request) -> Response:
        return await self._answered(request, self._here(request), self._exports.answer(request))

    async def _answered(self, request: Request, here: Addresses, answer: Awaitable[Response]) -> Response:
        """An answer, or what is said where there is none."""
        try:
            return await answer
        except Elsewhere as there:
            params = there.params.pop("query", there.params)
            return RedirectResponse(here.page(there.page, **params), 303)
        except PgqueueError as error:
            return self._failed(request, here, error)
        except Exception:
            _log.exception("a page could not be shown")
            return self._failed(
                request, here, PgqueueError("this page could not be shown; the log of the server says why")
            )

    def _here(self, request: Request) -> Addresses:
        return Addresses(request.scope.get("root_path", "").rstrip("/"), self._paths, self._files.hashes)

    async def _look(self, page: Page, asked: Asked, here: Addresses) -> Regions:
        found = await self._reads.ask(lambda conn: page.load(conn, asked))
        common = {
            **self._common,
            "user": asked.user,
            "place": self._reads.place,
            "token": self._seals.token(asked.user),
            "offers": Offers(asked.user, here, self._acts is not None),
        }
        return await asyncio.to_thread(self._renderer.regions, page, found, here, common)

    def _stream(self, request: Request, key: Hashable, look: Callable[[], Awaitable[Regions]]) -> Response:
        # One that serves WSGI holds a thread for each answer; 204 tells a browser to stop asking, and the page polls.
        if "wsgi_environ" in request.scope:
            return Response(status_code=204)
        every = request.query_params.get("_every", "")
        period = int(every) if every in [str(period) for period in PERIODS] else USUAL
        known = dict(each.split(".", 1) for each in request.query_params.get("_known", "").split(",") if "." in each)
        stream = Stream(period, known)
        if not self._poller.admit(stream):
            return Response(status_code=204)
        frames = self._poller.watch(key, look, stream)
        headers = {"x-accel-buffering": "no", "cache-control": "no-store, no-transform"}
        return StreamingResponse(frames, media_type="text/event-stream", headers=headers)

    def _shown(self, request: Request, regions: Regions, here: Addresses) -> Response:
        if wanted := request.headers.get("x-regions"):
            names = [name for name in wanted.split(",") if name in regions]
            return HTMLResponse("\n".join(regions.whole(name) for name in names), headers={"vary": "accept, x-regions"})
        notice = None if self._acts is None else self._acts.notice(request)
        html = self._renderer.page(regions, {"has_live": True, "notice": notice})
        return HTMLResponse(html.encode(errors="replace"), headers={"vary": "accept, x-regions"})

    def _failed(self, request: Request, here: Addresses, error: PgqueueError) -> Response:
        code = next((code for kind, code in _CODES if isinstance(error, kind)), 500)
        if "x-regions" in request.headers or "text/event-stream" in request.headers.get("accept", ""):
            return PlainTextResponse(f"{error}\n", code)
        values: dict[str, Any] = {
            **self._common,
            "user": request.scope["pgqueue.user"],
            "place": self._reads.place,
            "page": None,
            "said": str(error),
            "code": code,
            "has_live": False,
        }
        return HTMLResponse(self._renderer.other("failed.html", here, values).encode(errors="replace"), code)

    async def _nowhere(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope)
        root = scope.get("root_path", "").rstrip("/")
        here = self._here(request)
        if root and scope["path"] == root:
            response: Response = RedirectResponse(here.page("overview"), 303)
        else:
            response = self._failed(request, here, Missing("no page of this name"))
        await response(scope, receive, send)


_CODES = ((Missing, 404), (Forbidden, 403), ((Busy, DatabaseUnreachable, SchemaError), 503))


def _key(page: Page, asked: Asked, here: Addresses) -> Hashable:
    return page.name, tuple(asked.query.items()), tuple(asked.path.items()), asked.user, here.root
