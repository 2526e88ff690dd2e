"""Requests and answers of the API: who asks, which route, and what went wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pgqueue.dashboard.api import openapi
from pgqueue.dashboard.api.acts import Acts, action_of
from pgqueue.dashboard.api.encoding import Encoded, encoded, is_known, of_text
from pgqueue.dashboard.api.openapi import DESCRIPTION
from pgqueue.dashboard.api.parameters import checked
from pgqueue.dashboard.api.problems import Problem, missing, wrong
from pgqueue.dashboard.api.reads import ROUTES
from pgqueue.dashboard.api.route import BASE, Route
from pgqueue.dashboard.api.tokens import Tokens
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.checkup import Checkup
from pgqueue.dashboard.database import Busy, Reads
from pgqueue.dashboard.memory import Memory
from pgqueue.dashboard.pages.page import Asked, Missing
from pgqueue.dashboard.paths import route_of
from pgqueue.errors import DatabaseUnreachable, PgqueueError, SchemaError, UsageError
from pgqueue.redaction import Redaction

READS = ("GET", "HEAD", "OPTIONS")
ACTS = ("GET", "HEAD", "POST", "OPTIONS")
KIND = "application/json"
_log = logging.getLogger("pgqueue.dashboard")


def is_below(path: str) -> bool:
    """Whether an address is the API's."""
    return path == "/api" or path.startswith("/api/")


class Api:
    """Answers what is asked below `/api/v1`, for those alone who show a token."""

    def __init__(
        self,
        tokens: Tokens,
        reads: Reads,
        redaction: Redaction,
        checkup: Checkup | None,
        memory: Memory,
        acts: Acts | None,
        of_tenant: Callable[[str], Api] | None = None,
    ) -> None:
        self._tokens, self._reads, self._redaction, self._acts = tokens, reads, redaction, acts
        self._checkup, self._memory = checkup, memory
        self._of_tenant = of_tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Problem as problem:
            response = problem.response()
        except Exception:
            _log.exception("the API could not answer")
            response = Problem(500, "this could not be answered", "the log of the server says why").response()
        response.headers.setdefault("vary", "authorization")
        if request.method == "HEAD":
            # Its length stays that of the answer to GET.
            response.body = b""
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        user = await self._tokens.user_of(request)
        # As the pages' guard does: it is what actions are written down under.
        request.scope["pgqueue.user"] = user
        own = self if user.tenant is None or self._of_tenant is None else self._of_tenant(user.tenant)
        return await own._answer_to(user, request)

    async def _answer_to(self, user: User, request: Request) -> Response:
        path = route_of(request.scope)
        action = action_of(path)
        if action is not None:
            if (other := _unless(request, ACTS)) is not None:
                return other
            if request.method == "POST":
                return Response((await self._spoken(self._acting.answer(action, request, user))).body, media_type=KIND)
            return _known(request, await self._spoken(self._acting.form(action, request, user)))
        route, places = _found(path)
        if (other := _unless(request, READS)) is not None:
            return other
        if route is None:
            found = _described()
        else:
            asked = self._asked(request, route, places, user)
            found = await self._spoken(self._reads.ask(lambda conn: route.read(conn, asked)))
        return _known(request, found)

    def _asked(self, request: Request, route: Route, places: dict[str, str], user: User) -> Asked:
        said = checked(route.parameters, request.query_params)
        return Asked(user, said, places, self._redaction, self._checkup, self._memory)

    @property
    def _acting(self) -> Acts:
        if self._acts is None:
            cure = "start it with --allow-actions, or create_app(actions=True)"
            raise Problem(403, "this dashboard reads alone", cure)
        return self._acts

    async def _spoken(self, answer: Awaitable[object]) -> Encoded:
        """An answer as it is sent. Raises Problem for whatever of ours went wrong."""
        try:
            return await asyncio.to_thread(encoded, await answer)
        except Missing as error:
            raise missing(str(error)) from error
        except UsageError as error:
            raise wrong(str(error), "say it as the guide has it") from error
        except Busy as error:
            raise Problem(503, str(error), "ask again in a second, or for less", {"retry-after": "1"}) from error
        except DatabaseUnreachable as error:
            raise Problem(503, "the database cannot be reached", "ask again", {"retry-after": "5"}) from error
        except SchemaError as error:
            raise Problem(503, str(error), "run `pgqueue migrate`") from error
        except PgqueueError as error:
            raise Problem(500, str(error), "the log of the server says more") from error


def _known(request: Request, found: Encoded) -> Response:
    """The answer, or that who asks has it already."""
    if is_known(found.tag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers={"etag": found.tag})
    return Response(found.body, headers={"etag": found.tag}, media_type=KIND)


def _unless(request: Request, methods: tuple[str, ...]) -> Response | None:
    """What to answer to another method than these. Raises Problem."""
    allow = {"allow": ", ".join(methods)}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=allow)
    if request.method in methods:
        return None
    cure = "GET reads it" + (", POST does it" if methods is ACTS else "")
    raise Problem(405, f"{request.method} is not for {route_of(request.scope)[:200]}", cure, allow)


def _found(path: str) -> tuple[Route | None, dict[str, str]]:
    """The route of an address, and what stands in its places; None is that of the description."""
    if path == DESCRIPTION:
        return None, {}
    for route in ROUTES:
        places = route.match(path.removeprefix(BASE)) if path.startswith(f"{BASE}/") else None
        if places is not None:
            return route, places
    raise missing(f"there is no route {path[:200]}", f"all routes stand in {DESCRIPTION}")


@cache
def _described() -> Encoded:
    return of_text(openapi.text())
