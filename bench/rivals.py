"""Other queues as measures of the same run: what our runner asks their adapters, and under which figures it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from bench.install import state
from bench.manifest import Peer, peers
from bench.redis import redis_server
from pgqueue.bench.client import gaps
from pgqueue.bench.enqueueing import figure, rate
from pgqueue.bench.picking_up import GAPS
from pgqueue.bench.program import Answer, Program
from pgqueue.bench.reading import Key, Measure, Missing, Reading, latencies
from pgqueue.bench.run import Others, no_others
from pgqueue.bench.site import Site
from pgqueue.bench.targets import BULK, DRAIN, Rival
from pgqueue.errors import PgqueueError

# Of a peer at most so much a round: the slowest of them is not to take longer than all of ours.
DRAIN_JOBS = 30_000
DRAIN_SECONDS = 8.0
BULK_JOBS = 30_000
# Those that no target compares with are slow to preload, too.
CONTEXT_JOBS = 10_000
PICKUPS = 50
CLIENTS = (1, 8)
# Beyond the seconds that a request names.
PATIENCE = 60.0


@contextmanager
def beside(wanted: bool) -> Iterator[Others]:
    """The measures of all peers that are installed, with a Redis if one of them needs it."""
    if not wanted:
        yield no_others
        return
    with ExitStack() as stack:
        missing: Missing = {}
        able = []
        for peer in peers():
            if peer.installed:
                able.append(peer)
            else:
                missing[peer.title] = state(peer)
        redis = None
        if any(peer.store == "redis" for peer in able):
            try:
                redis = stack.enter_context(redis_server())
            except PgqueueError as error:
                missing.update({peer.title: str(error) for peer in able if peer.store == "redis"})
                able = [peer for peer in able if peer.store != "redis"]

        def others(site: Site) -> tuple[list[Measure], list[Rival], Missing]:
            found = [measure for peer in able for measure in measures(peer, redis)]
            rivals = [Rival(peer.title, peer.kind == "python") for peer in able if not peer.context]
            return found, rivals, missing

        yield others


def measures(peer: Peer, redis: str | None) -> list[Measure]:
    """One for each thing that the peer does."""
    does: dict[str, list[tuple[str, Callable[[Site], list[Reading]]]]] = {
        "enqueue_one": [
            (f"enqueue-{number}", lambda site, n=number: _enqueue_one(site, peer, redis, n))  # type: ignore[misc]  # bound early
            for number in CLIENTS
        ],
        "enqueue_bulk": [("bulk", lambda site: _bulk(site, peer, redis))],
        "drain": [("drain", lambda site: _drain(site, peer, redis))],
        "pickup": [("pickup", lambda site: _pick_up(site, peer, redis))],
    }
    return [Measure(f"{name}/{peer.name}", run) for each in peer.does for name, run in does[each]]


@contextmanager
def _adapters(site: Site, peer: Peer, redis: str | None, number: int = 1) -> Iterator[list[Program]]:
    """So many adapters on a fresh database, the first of which has set it up."""
    running: list[Program] = []
    with site.another(migrated=False) as dsn:
        where = {"dsn": dsn, "url": url_of(dsn), "redis": redis}
        try:
            for each in range(number):
                running.append(Program(peer.command(), env=peer.environment()))
                running[-1].ask(PATIENCE, do="open" if each else "setup", **where)
            yield running
        finally:
            for program in running:
                program.close()


def _asked(site: Site, peer: Peer, redis: str | None, limit: float, **request: Any) -> Answer:
    with _adapters(site, peer, redis) as (adapter,):
        answer = adapter.ask(limit, **request)
    if answer.get("count") == 0:
        raise PgqueueError(f"{peer.title} did nothing within its time")
    return answer


def _enqueue_one(site: Site, peer: Peer, redis: str | None, number: int) -> list[Reading]:
    seconds = site.sizes.enqueue_seconds
    with _adapters(site, peer, redis, number) as adapters:
        for adapter in adapters:
            adapter.tell(do="enqueue_one", seconds=seconds)
        answers = [adapter.answer(seconds + PATIENCE) for adapter in adapters]
    return [rate(Key(figure(number), peer.title), _together(answers))]


def _together(answers: Sequence[Answer]) -> Answer:
    return {"count": sum(each["count"] for each in answers), "seconds": max(each["seconds"] for each in answers)}


def _bulk(site: Site, peer: Peer, redis: str | None) -> list[Reading]:
    count = min(CONTEXT_JOBS if peer.context else BULK_JOBS, site.sizes.bulk)
    answer = _asked(site, peer, redis, 2 * PATIENCE, do="enqueue_bulk", count=count)
    return [rate(Key(BULK, peer.title), answer)]


def _drain(site: Site, peer: Peer, redis: str | None) -> list[Reading]:
    count = min(CONTEXT_JOBS if peer.context else DRAIN_JOBS, site.sizes.drain)
    # Preloading takes its time before the seconds begin.
    limit = DRAIN_SECONDS + 2 * PATIENCE
    answer = _asked(site, peer, redis, limit, do="drain", count=count, seconds=DRAIN_SECONDS)
    return [rate(Key(DRAIN, peer.title), answer)]


def _pick_up(site: Site, peer: Peer, redis: str | None) -> list[Reading]:
    waits = gaps(min(PICKUPS, site.sizes.pickups), *GAPS)
    answer = _asked(site, peer, redis, sum(waits) + 2 * PATIENCE, do="pickup", gaps=waits)
    return latencies("pick-up", peer.title, answer["latencies"])


def url_of(dsn: str) -> str:
    """A libpq string as a URL."""
    words = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value}
    dbname, user = words.pop("dbname", ""), words.pop("user", "postgres")
    return f"postgresql://{quote(user)}@/{quote(dbname)}?{urlencode(words)}"
