"""What stands before every page: from where it may be asked, who asks, and what a browser may do with the answer."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgqueue.dashboard.api.app import Api, is_below
from pgqueue.dashboard.auth import LOCAL, Auth, user_of
from pgqueue.dashboard.paths import route_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-ancestors {}; base-uri 'none'"
)
# They say nothing but whether the process and its database are there.
OPEN = ("/healthz", "/readyz")
SAFE = frozenset({"GET", "HEAD"})
# Who has one of these was passed on from elsewhere.
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Guard:
    """Refuses what may not be, and gives every answer its headers; the user stands in `scope["pgqueue.user"]`."""

    def __init__(
        self, app: ASGIApp, auth: Auth | None, embed: Sequence[str], api: Api | None = None, *, actions: bool = False
    ) -> None:
        self._app, self._auth, self._api = app, auth, api
        self._methods = SAFE | {"POST"} if actions else SAFE
        self._policy = POLICY.format(" ".join(embed) or "'none'")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message))
            await send(message)

        if self._api is not None and is_below(route_of(scope)):
            # It asks who it is in a way of its own, which no page of the web can.
            await self._api(scope, receive, guarded)
            return
        request = Request(scope)
        answer = self._refusal(request) or await self._enter(request)
        await (self._app if answer is None else answer)(scope, receive, guarded)

    def _refusal(self, request: Request) -> Response | None:
        if self._auth is None and (why := _not_local(request)):
            return _refused(
                f"This dashboard asks nobody who they are, so it answers at this machine alone: {why}."
                " Give create_app() or the command an auth."
            )
        if request.method not in SAFE:
            if why := forged(request):
                return _refused(why)
            if request.method not in self._methods:
                said = "The dashboard reads alone.\n" if self._methods == SAFE else "Actions are posted.\n"
                return PlainTextResponse(said, 405, {"allow": ", ".join(sorted(self._methods))})
        return None

    async def _enter(self, request: Request) -> Response | None:
        """Find out who asks; what to answer if nobody knows."""
        scope = request.scope
        if route_of(scope) in OPEN:
            return None
        user = LOCAL if self._auth is None else await user_of(self._auth, request)
        if isinstance(user, Response):
            return user
        if user is None:
            challenge = getattr(self._auth, "challenge", None)
            headers = {"www-authenticate": challenge} if challenge else None
            return PlainTextResponse("Nobody knows you here: log in first.\n", 401, headers)
        scope["pgqueue.user"] = user
        return None

    def _add_headers(self, headers: MutableHeaders) -> None:
        headers["content-security-policy"] = self._policy
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "same-origin"
        headers["cross-origin-opener-policy"] = "same-origin"
        headers.setdefault("cache-control", "no-store")


def forged(request: Request) -> str | None:
    """Why a request that would change something may not be the user's own wish; None if it is."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return None if site == "same-origin" else f"Another site asks for this (Sec-Fetch-Site: {site:.20})."
    origin = request.headers.get("origin")
    if origin is None:
        return "A browser says from where it asks, by Sec-Fetch-Site or Origin; this request says neither."
    expected = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return None if origin == expected else "Another origin asks for this."


def _not_local(request: Request) -> str | None:
    """What speaks for a request from elsewhere; the name of the host, too, which a page of the web can have chosen."""
    headers = request.headers
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not is_loopback(_host_of(hosts[0])):
        return "the Host header names another"
    if request.client is not None and not is_loopback(request.client.host):
        return "the request came from another"
    return "a proxy has passed the request on" if _was_forwarded(headers) else None


def _was_forwarded(headers: Headers) -> bool:
    return any(name in headers for name in FORWARDED)


def _host_of(value: str) -> str | None:
    try:
        return urlsplit(f"//{value}").hostname
    except ValueError:
        return None


def is_loopback(host: str | None) -> bool:
    """Whether a host's name or address is that of the machine itself."""
    if not host or host == "localhost":
        return host == "localhost"
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(why: str) -> Response:
    return PlainTextResponse(f"{why}\n", 403)
