"""The application: create_app() makes it of a database and of who may look."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from pgqueue.dashboard.api import Acts, Api, Tokens
from pgqueue.dashboard.auth import Auth
from pgqueue.dashboard.database import Pool, Reads
from pgqueue.dashboard.guard import Guard
from pgqueue.dashboard.links import Link
from pgqueue.dashboard.seals import Seals
from pgqueue.dashboard.site import Site
from pgqueue.dashboard.sites import Opened, Sites
from pgqueue.database import dsn_of
from pgqueue.errors import UsageError
from pgqueue.redaction import Redaction


def create_app(
    dsn: str | None = None,
    *,
    pool: Pool | None = None,
    auth: Auth | None = None,
    actions: bool = False,
    secret: str | None = None,
    redact: Callable[[str], bool] | None = None,
    title: str = "pgqueue",
    links: Mapping[str, str] | None = None,
    read_dsn: str | None = None,
    time_zone: str = "browser",
    embed: Sequence[str] = (),
    api: Tokens | None = None,
) -> Dashboard:
    """An ASGI application that shows what stands in a database; mount it anywhere, or run it by itself.

    `auth` says who may look: Basic, TrustedHeader, or any callable from a request to a User, a response or None;
    without one it answers at the machine itself alone. With `actions` they may do what their role lets them; else it
    reads alone. `redact` names further keys whose values are hidden. `read_dsn` is a standby to read from. `links` are
    pages elsewhere about a job: a name, and an address with `{id}`, `{queue}`, `{target}`. `time_zone` is the
    browser's, or a name such as `Europe/Vienna`. `embed` are origins whose pages may show it in a frame. `api` are the
    tokens of programs that may ask below /api/v1; without them there is no API. `secret` signs forms: several processes
    of one dashboard need the same. Nothing is opened before the first request; aclose() closes it. Raises UsageError.
    """
    if pool is not None and (dsn is not None or read_dsn is not None):
        raise UsageError("give a DSN or a pool, not both")
    reads_alone = pool is not None or (read_dsn is not None and not actions)
    address = None if reads_alone else dsn_of(dsn, "create_app()")
    redaction, seals, zone = Redaction(redact), Seals(secret), _zone(time_zone)
    pages = [Link(name, address) for name, address in (links or {}).items()]

    def opened(tenant: str | None) -> Opened:
        reads = Reads(address if read_dsn is None else read_dsn, pool, tenant)
        primary = Reads(address, None, tenant) if actions and read_dsn else reads
        site = Site(
            reads,
            primary=primary if actions else None,
            seals=seals,
            redaction=redaction,
            title=title if tenant is None else f"{title} · {tenant}",
            links=pages,
            zone=zone,
            asks_users=auth is not None,
        )
        if api is None:
            return Opened(site, None)
        acts = Acts(reads, primary, redaction, site.wake) if actions else None
        return Opened(
            site, Api(api, reads, redaction, site.checkup, site.memory, acts, lambda name: sites.api_of(name))
        )

    sites = Sites(opened)
    return Dashboard(sites, Guard(sites, auth, embed, sites.common.api, actions=actions))


def below(app: ASGIApp, root_path: str) -> ASGIApp:
    """The application as it stands behind a proxy that shows it under a path, and strips that or not."""

    async def moved(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": root_path}, receive, send)

    return moved if root_path else app


class Dashboard:
    """An ASGI application; close it with aclose(), as a server does that speaks of its life span."""

    def __init__(self, sites: Sites, guard: Guard) -> None:
        self._sites, self._guard = sites, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._guard(scope, receive, send)

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Every address that it answers."""
        return self._sites.routes

    async def aclose(self) -> None:
        """Close the connections to the database; what is asked later finds none."""
        self._sites.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _zone(name: str) -> ZoneInfo | None:
    if name == "browser":
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"no time zone {name!r}; it is `browser`, or a name such as Europe/Vienna") from error
