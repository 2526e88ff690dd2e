"""Jobs in lanes: a backlog in many keys worked off, and how soon the next of a key follows the last."""

from __future__ import annotations

import pgqueue
from pgqueue.bench.idle_workers import EXECUTORS, idle_workers
from pgqueue.bench.picking_up import idle_pick_ups
from pgqueue.bench.preload import ended, preloaded
from pgqueue.bench.program import ask_client
from pgqueue.bench.reading import Key, Measure, Reading, latencies
from pgqueue.bench.site import Site

GAP = "gap in a lane of one"
UNKEYED, KEYED = "without keys", "in lanes"
# So many workers, jobs a key, jobs of a key at once.
FEW_KEYS, MANY_KEYS = (1, 200, 5), (4, 10, 1)


def measures(site: Site) -> list[Measure]:
    """Drains beside those without keys, then gaps beside pick-ups."""
    if not site.sizes.keyed:
        return []
    return [
        Measure("lanes/few", lambda site: _drains(site, *FEW_KEYS)),
        Measure("lanes/many", lambda site: _drains(site, *MANY_KEYS)),
        *(Measure(f"lanes/gap-{executor}", lambda site, x=executor: _gaps(site, x)) for executor in EXECUTORS),  # type: ignore[misc]  # bound early
    ]


def figure(keys: int, workers: int, concurrency: int) -> str:
    """The name of a drain in so many keys."""
    by = f"{workers} worker{'s' if workers > 1 else ''}"
    return f"drain of {keys:,} keys, {concurrency} at once each, {by}"


def keys_of(keyed: int, jobs: int) -> int:
    """How many keys so many jobs have, if each has that many of them."""
    return max(1, keyed // jobs)


def _drains(site: Site, workers: int, jobs: int, concurrency: int) -> list[Reading]:
    count = site.sizes.keyed
    keys = keys_of(count, jobs)
    name = figure(keys, workers, concurrency)
    plain = _drained(site, workers, 0)
    site.empty()
    with site.connect() as conn:
        pgqueue.set_limit(conn, "key", "bench-*", concurrency=concurrency)
    in_lanes = _drained(site, workers, keys)
    return [Reading(Key(name, UNKEYED), "/s", plain), Reading(Key(name, KEYED), "/s", in_lanes)]


def _drained(site: Site, workers: int, keys: int) -> float:
    """Jobs a second; without keys if they are 0."""
    count = site.sizes.keyed

    def fill() -> None:
        ask_client(do="enqueue_keyed", dsn=site.dsn, count=count, keys=keys, name="bench")

    with preloaded(site, count, "thread", fill=fill if keys else None) as work:
        with idle_workers(site, "thread", queues=[["default"]] * workers):
            work.begin()
            work.await_end()
        return count / ended(work.conn, count + 1)


def _gaps(site: Site, executor: str) -> list[Reading]:
    with site.connect() as conn:
        pgqueue.set_limit(conn, "key", "lane", concurrency=1)
    with idle_workers(site, executor):
        gaps = ask_client(do="spans", dsn=site.dsn, count=site.sizes.pickups, key="lane")["latencies"]
    site.empty()
    return [
        *latencies(GAP, executor, gaps),
        *latencies(GAP, f"pick-up, {executor}", idle_pick_ups(site, executor)),
    ]
