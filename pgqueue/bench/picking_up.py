"""Pick-up: from the commit of an enqueue to the first line of its task, for idle workers and for one under load."""

from __future__ import annotations

import tempfile
import time

from pgqueue.bench.bare_enqueue import NOOP
from pgqueue.bench.bare_pickup import await_socket
from pgqueue.bench.client import gaps
from pgqueue.bench.idle_workers import EXECUTORS, idle_workers
from pgqueue.bench.preload import NOOPS, ended, preloaded
from pgqueue.bench.program import ask_client, clients
from pgqueue.bench.reading import Measure, Reading, latencies
from pgqueue.bench.site import Site

CEILING = "LISTEN and claim"
IDLE, LOADED = "pick-up", "pick-up, half load"
WARM_UP = 10
# Seconds between two jobs: longer than a job takes, so that the worker is idle again.
GAPS = (0.01, 0.05)
# A worker without LISTEN has time to fall back to its poll.
LONG_GAPS = (0.5, 2.5)
POLLERS = 10
# Under load fewer samples tell as much: it is the middle that is promised there.
LOADED_SHARE = 2
# Measured before the load, to know what half of it is.
FULL_LOAD_JOBS = 20_000


def measures(site: Site) -> list[Measure]:
    """The bare loop, the idle worker of each kind, the one that only polls, and the busy one."""
    if not site.sizes.pickups:
        return []
    found = [Measure("pickup/raw", _raw)]
    for executor in EXECUTORS:
        found.append(Measure(f"pickup/{executor}", lambda site, x=executor: _idle(site, x)))  # type: ignore[misc]  # bound early
    for executor in EXECUTORS:
        found.append(Measure(f"pickup-loaded/{executor}", lambda site, x=executor: _loaded(site, x)))  # type: ignore[misc]  # bound early
    if site.sizes.polled:
        found.append(Measure("pickup-polled/thread", _polled, once=True))
    return found


def _gaps(site: Site) -> list[float]:
    return gaps(site.sizes.pickups + WARM_UP, *GAPS)


def _raw(site: Site) -> list[Reading]:
    count = site.sizes.pickups + WARM_UP
    with tempfile.TemporaryDirectory(prefix="pgqueue-bench-") as folder, clients(2) as (sender, listener):
        address = f"{folder}/raw"
        sender.tell(do="pickup_raw", dsn=site.dsn, gaps=_gaps(site), address=address)
        await_socket(address)
        listener.tell(do="listen", dsn=site.dsn, count=count, address=address)
        found = sender.answer(600)["latencies"]
    return latencies(IDLE, CEILING, found[WARM_UP:])


def _idle(site: Site, executor: str) -> list[Reading]:
    return latencies(IDLE, executor, idle_pick_ups(site, executor))


def idle_pick_ups(site: Site, executor: str) -> list[float]:
    """Milliseconds from an enqueue's commit to the first line of the task, by an idle worker."""
    with idle_workers(site, executor):
        answer = ask_client(do="pickup", dsn=site.dsn, gaps=_gaps(site), queues=["default"])
    return list(answer["latencies"][WARM_UP:])


def _polled(site: Site) -> list[Reading]:
    """Several workers, each with a queue of its own, so that many long waits fit into a short time."""
    queues = [f"polled-{number}" for number in range(min(POLLERS, site.sizes.polled))]
    waits = [each / len(queues) for each in gaps(site.sizes.polled, *LONG_GAPS)]
    with idle_workers(site, "thread", queues=[[queue] for queue in queues], poll_only=True):
        found = ask_client(do="pickup", dsn=site.dsn, gaps=waits, queues=queues)["latencies"]
    return latencies("pick-up, poll only", "thread", found)


def _loaded(site: Site, executor: str) -> list[Reading]:
    """As idle, while no-op jobs come half as fast as this worker could drain them."""
    count = min(FULL_LOAD_JOBS, site.sizes.drain)
    with preloaded(site, count, executor) as work, idle_workers(site, executor):
        work.begin()
        work.await_end()
        rate = count / ended(work.conn, count + 1) / 2
        waits = gaps(max(1, site.sizes.pickups // LOADED_SHARE) + WARM_UP, *GAPS)
        with clients(1) as (loader,):
            target = NOOPS.get(executor, NOOP)
            loader.tell(do="load", dsn=site.dsn, rate=rate, seconds=1.5 * sum(waits) + 1, target=target)
            time.sleep(0.5)
            found = ask_client(do="pickup", dsn=site.dsn, gaps=waits, queues=["default"])["latencies"]
            loader.kill()
    return latencies(LOADED, executor, found[WARM_UP:])
