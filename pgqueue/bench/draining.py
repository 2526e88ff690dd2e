"""A backlog worked off: how fast, by each executor and by several workers, and what it costs."""

from __future__ import annotations

from pgqueue.bench.bare_drain import LOOPS
from pgqueue.bench.bare_enqueue import copy
from pgqueue.bench.counters import Counters, counters
from pgqueue.bench.idle_workers import EXECUTORS, idle_workers
from pgqueue.bench.preload import ended, preloaded
from pgqueue.bench.processes import MemoryWatch, cpu_seconds
from pgqueue.bench.program import ask_client
from pgqueue.bench.reading import Key, Measure, Reading
from pgqueue.bench.site import Site

SWEEP = "bare loop, by its kind and batch"
BATCHES = (500, 1000, 2000)
# The loops are tried with this part of the jobs.
SWEPT = 4
# By so many workers each executor drains; beyond it only threads, the cheapest to have many of.
MOST_EACH = 2
# More workers than this are looked at once: nothing is compared with them.
MOST_OFTEN = 4
# Which samples are compared to see whether memory is steady: those of this share in the middle and in the end.
SHARE = 0.2


def measures(site: Site) -> list[Measure]:
    """The bare loop first, then ours."""
    found = [Measure("drain/raw", _Ceiling().measure)]
    for number in site.sizes.workers:
        for executor in EXECUTORS if number <= MOST_EACH else ("thread",):
            found.append(
                Measure(
                    f"drain-{number}/{executor}",
                    lambda site, n=number, x=executor: _drain(site, x, n),  # type: ignore[misc]  # bound early
                    once=number > MOST_OFTEN,
                )
            )
    if site.sizes.cost_jobs:
        found += [
            Measure("costs/bulk", lambda site: _costs(site, "bulk")),
            Measure("costs/singly", lambda site: _costs(site, "singly")),
        ]
    if site.sizes.memory:
        found.append(Measure("memory", _memory, once=True))
    return found


def figure(workers: int) -> str:
    """The name of the figure for so many workers."""
    return f"drain, {workers} worker{'s' if workers > 1 else ''}"


class _Ceiling:
    """The fastest bare loop: all are tried in the first round, the two best of them in every round."""

    def __init__(self) -> None:
        self._best: list[tuple[str, int]] = []

    def measure(self, site: Site) -> list[Reading]:
        found = [] if self._best else self._sweep(site)
        count = site.sizes.drain
        return [*found, Reading(Key(figure(1), "raw"), "/s", max(_bare(site, count, *each) for each in self._best))]

    def _sweep(self, site: Site) -> list[Reading]:
        count = max(1, site.sizes.drain // SWEPT)
        rates = {(kind, batch): _bare(site, count, kind, batch) for kind in LOOPS for batch in BATCHES}
        self._best = sorted(rates, key=lambda each: rates[each], reverse=True)[:2]
        return [Reading(Key(SWEEP, f"{kind}, {batch:,}"), "/s", rate) for (kind, batch), rate in rates.items()]


def _bare(site: Site, count: int, kind: str, batch: int) -> float:
    site.empty()
    copy(site.dsn, count)
    site.settle_down()
    answer = ask_client(do="bare_loop", dsn=site.dsn, kind=kind, count=count, batch=batch)
    return float(count / answer["seconds"])


def _drain(site: Site, executor: str, workers: int) -> list[Reading]:
    count = site.sizes.drain
    servers = [site.server] if site.server else []
    with preloaded(site, count, executor) as work:
        with idle_workers(site, executor, queues=[["default"]] * workers) as pids:
            before = counters(work.conn)
            cpu = cpu_seconds(pids), cpu_seconds(servers)
            work.begin()
            work.await_end()
            spent = [_difference(was, now) for was, now in zip(cpu, _cpu(pids, servers), strict=True)]
        seconds = ended(work.conn, count + 1)
        spun = counters(work.conn, deleted=before.deleted + count) - before
    found = [Reading(Key(figure(workers), executor), "/s", count / seconds)]
    if workers == 1:
        found.append(Reading(Key("transactions per job in a drain", executor), "", spun.transactions / count))
        if spent[0] is not None:
            found.append(Reading(Key("CPU per 1,000 jobs, worker", executor), "s", 1000 * spent[0] / count))
        if spent[1] is not None and servers:
            found.append(Reading(Key("CPU per 1,000 jobs, server", executor), "s", 1000 * spent[1] / count))
    return found


def _costs(site: Site, how: str) -> list[Reading]:
    """WAL, transactions and dead rows from enqueue to end, history kept, by one worker."""
    count = site.sizes.cost_jobs
    with site.connect() as conn:
        before = counters(conn)
        if how == "bulk":
            ask_client(do="enqueue_bulk", dsn=site.dsn, count=count, batch=1000)
        else:
            ask_client(do="enqueue_singly", dsn=site.dsn, count=count)
        # Its own jobs first, then the one that tells the end.
        with preloaded(site, 0, "thread", settle=False) as work, idle_workers(site, "thread"):
            work.begin()
            work.await_end()
        spun = counters(conn, deleted=before.deleted + count) - before
    return _per_job(spun, count, "in bulk" if how == "bulk" else "one by one")


def _per_job(spun: Counters, count: int, subject: str) -> list[Reading]:
    return [
        Reading(Key("WAL per job, enqueue to end", subject), "B", spun.wal_bytes / count),
        Reading(Key("transactions per job, enqueue to end", subject), "", spun.transactions / count),
        Reading(Key("dead rows per job, enqueue to end", subject), "", spun.dead_rows / count),
    ]


def _memory(site: Site) -> list[Reading]:
    """The parent of a worker that isolates its jobs, over many of them."""
    count = site.sizes.memory
    with preloaded(site, count, "process") as work, idle_workers(site, "process") as (pid,), MemoryWatch(pid) as watch:
        work.begin()
        work.await_end()
    samples = watch.samples
    few = max(1, int(len(samples) * SHARE))
    middle, last = samples[len(samples) // 2 :][:few], samples[-few:]
    return [
        Reading(Key("memory of the worker", "process"), "MB", max(samples)),
        Reading(Key("memory, end over middle", "process"), "", (sum(last) / few) / (sum(middle) / len(middle))),
    ]


def _cpu(pids: list[int], servers: list[int]) -> tuple[float | None, float | None]:
    return cpu_seconds(pids), cpu_seconds(servers)


def _difference(was: float | None, now: float | None) -> float | None:
    return None if was is None or now is None else now - was
