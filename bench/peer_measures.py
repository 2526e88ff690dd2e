"""Other queues and ours side by side: what our runner asks their adapters, and under which figures it stands.

Sizes, warm-up and samples are the same for all of them, and each figure is taken of all of them in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from bench.install import state
from bench.manifest import Peer, Settings, peers
from bench.redis import redis_server
from bench.settings import best
from pgqueue.bench import beside
from pgqueue.bench.client import gaps
from pgqueue.bench.enqueueing import rate
from pgqueue.bench.picking_up import GAPS
from pgqueue.bench.program import Answer, Program
from pgqueue.bench.reading import Key, Measure, Missing, Reading, latencies, quantile
from pgqueue.bench.run import Others, no_others
from pgqueue.bench.site import Site
from pgqueue.errors import PgqueueError

# Of each so much a round: the slowest of them is not to take longer than all else.
DRAIN_JOBS = 50_000
DRAIN_SECONDS = 6.0
PICKUPS = 200
PICKUP_SECONDS = 15.0
ENQUEUE_SECONDS = 2.0
CLIENTS = (1, 8)
# Beyond the seconds that a request names.
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Drained:
    """How fast a peer took all jobs in, and worked them off; `rate` is nothing if not one of them ended."""

    bulk: Answer
    drain: Answer

    @property
    def rate(self) -> float:
        """Jobs a second."""
        return float(self.drain["count"] / self.drain["seconds"])


class Adapters:
    """The peers that can be measured here, and what they need."""

    def __init__(self, redis: str | None) -> None:
        self._redis = redis

    def measures(self, able: Sequence[Peer]) -> list[Measure]:
        """All of one figure together; once in the run of those that nothing is compared with."""
        found = []
        for name, does, run in (
            ("enqueue-1", "enqueue_one", self._enqueue_singly),
            ("enqueue-8", "enqueue_one", self._enqueue_together),
            ("pickup", "pickup", self._pick_up),
            ("drain", "drain", self._drain),
        ):
            for peer in able:
                if does in peer.does:

                    def measure(site: Site, run: Any = run, peer: Peer = peer) -> list[Reading]:
                        return run(site, peer)  # type: ignore[no-any-return]  # those above

                    found.append(Measure(f"beside-{name}/{peer.name}", measure, once=peer.context))
        return found

    def _enqueue_singly(self, site: Site, peer: Peer) -> list[Reading]:
        seconds = min(ENQUEUE_SECONDS, site.sizes.enqueue_seconds)
        with adapters(site, peer, best(peer, "pick_up"), self._redis) as (adapter,):
            heard = adapter.ask(seconds + 2 * PATIENCE, do="enqueue_one", seconds=seconds, heard=True)
            alone = adapter.ask(seconds + PATIENCE, do="enqueue_one", seconds=seconds)
        return [rate(Key(beside.HEARD, peer.title), heard), rate(Key(beside.enqueue(1), peer.title), alone)]

    def _enqueue_together(self, site: Site, peer: Peer) -> list[Reading]:
        number, seconds = CLIENTS[-1], min(ENQUEUE_SECONDS, site.sizes.enqueue_seconds)
        with adapters(site, peer, best(peer, "pick_up"), self._redis, number) as running:
            for adapter in running:
                adapter.tell(do="enqueue_one", seconds=seconds)
            answers = [adapter.answer(seconds + PATIENCE) for adapter in running]
        total = {"count": sum(each["count"] for each in answers), "seconds": max(each["seconds"] for each in answers)}
        return [rate(Key(beside.enqueue(number), peer.title), total)]

    def _drain(self, site: Site, peer: Peer) -> list[Reading]:
        found = drained(site, peer, best(peer, "drain"), self._redis)
        return [
            Reading(Key(beside.DRAIN, peer.title), "/s", found.rate),
            rate(Key(beside.BULK, peer.title), found.bulk),
        ]

    def _pick_up(self, site: Site, peer: Peer) -> list[Reading]:
        wanted = min(PICKUPS, site.sizes.pickups)
        found = picked_up(site, peer, best(peer, "pick_up"), wanted, self._redis)
        if len(found) == wanted:
            return latencies(beside.PICK_UP, peer.title, found)
        # From fewer samples than the others gave there is a middle, and no tail to compare.
        return [Reading(Key(f"{beside.PICK_UP} p50", peer.title), "ms", quantile(found, 0.5))]


@contextmanager
def beside_us(wanted: bool) -> Iterator[Others]:
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
        # Ours between the others, not all at one end of what else the machine does.
        able.sort(key=lambda peer: (peer.context, peer.title.removeprefix("pgqueue, ")))

        def others(site: Site) -> tuple[list[Measure], list[beside.Rival], Missing]:
            durable = [peer for peer in able if not peer.context and peer.kind != "ours"]
            rivals = [beside.Rival(peer.title, peer.kind == "python") for peer in durable]
            return Adapters(redis).measures(able), rivals, missing

        yield others


def drained(site: Site, peer: Peer, settings: Settings, redis: str | None = None) -> Drained:
    """All jobs enqueued at once, then worked off by one worker. Raises PgqueueError if nothing was."""
    count = min(DRAIN_JOBS, site.sizes.drain)
    with adapters(site, peer, settings, redis) as (adapter,):
        bulk = adapter.ask(2 * PATIENCE, do="enqueue_bulk", count=count)
        limit = DRAIN_SECONDS + 2 * PATIENCE
        drain = adapter.ask(limit, do="drain", count=count, seconds=DRAIN_SECONDS, filled=True)
    if not drain["count"]:
        raise PgqueueError(f"{peer.title} did nothing within its time")
    return Drained(bulk, drain)


def picked_up(
    site: Site,
    peer: Peer,
    settings: Settings,
    count: int,
    redis: str | None = None,
    *,
    seconds: float = PICKUP_SECONDS,
) -> list[float]:
    """The milliseconds of so many pick-ups, or of fewer where they take too long."""
    with adapters(site, peer, settings, redis) as (adapter,):
        answer = adapter.ask(seconds + 2 * PATIENCE, do="pickup", gaps=gaps(count, *GAPS), seconds=seconds)
    found: list[float] = answer["latencies"]
    if not found:
        raise PgqueueError(f"{peer.title} picked nothing up within its time")
    return found


@contextmanager
def adapters(site: Site, peer: Peer, settings: Settings, redis: str | None, number: int = 1) -> Iterator[list[Program]]:
    """So many adapters on a fresh database, the first of which has set it up."""
    running: list[Program] = []
    with site.another(migrated=False) as dsn:
        where = {"dsn": dsn, "url": url_of(dsn), "redis": redis}
        try:
            for _ in range(number):
                running.append(Program(peer.command(), env=peer.environment(settings)))
            first, *others = running
            first.ask(PATIENCE, do="setup", **where)
            for each in others:
                each.tell(do="open", **where)
            for each in others:
                each.answer(PATIENCE)
            yield running
        finally:
            for program in running:
                program.close()


def url_of(dsn: str) -> str:
    """A libpq string as a URL."""
    words = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value}
    dbname, user = words.pop("dbname", ""), words.pop("user", "postgres")
    return f"postgresql://{quote(user)}@/{quote(dbname)}?{urlencode(words)}"
