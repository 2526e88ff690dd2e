"""Requests and answers of the API: who asks, which route, and what went wrong."""

from __future__ import annotations

import asyncio
import logging
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pgqueue.dashboard.api import openapi
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
KIND = "application/json"
_log = logging.getLogger("pgqueue.dashboard")


def is_below(path: str) -> bool:
    """Whether an address is the API's."""
    return path == "/api" or path.startswith("/api/")


class Api:
    """Answers what is asked below `/api/v1`, for those alone who show a token."""

    def __init__(
        self, tokens: Tokens, reads: Reads, redaction: Redaction, checkup: Checkup | None, memory: Memory
    ) -> None:
        self._tokens, self._reads, self._redaction = tokens, reads, redaction
        self._checkup, self._memory = checkup, memory

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
        path = route_of(request.scope)
        route, places = _found(path)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": ", ".join(READS)})
        if request.method not in READS:
            raise Problem(405, f"{request.method} is not for {path[:200]}", "GET reads it", {"allow": ", ".join(READS)})
        if route is None:
            found = _described()
        else:
            answer = await self._read(route, self._asked(request, route, places, user))
            found = await asyncio.to_thread(encoded, answer)
        if is_known(found.tag, request.headers.get("if-none-match")):
            return Response(status_code=304, headers={"etag": found.tag})
        return Response(found.body, headers={"etag": found.tag}, media_type=KIND)

    def _asked(self, request: Request, route: Route, places: dict[str, str], user: User) -> Asked:
        said = checked(route.parameters, request.query_params)
        return Asked(user, said, places, self._redaction, self._checkup, self._memory)

    async def _read(self, route: Route, asked: Asked) -> object:
        try:
            return await self._reads.ask(lambda conn: route.read(conn, asked))
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
