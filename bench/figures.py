"""The figures of docs/performance.md: which values of a run each of them shows."""

from __future__ import annotations

from collections.abc import Iterator

from bench.svg import Bar, bars, lines
from pgqueue.bench import beside
from pgqueue.bench.draining import figure as drained_by
from pgqueue.bench.horizon import CLAIM, PARTS, RATE, part
from pgqueue.bench.reading import Key, spread, values_of
from pgqueue.bench.run import Results
from pgqueue.bench.sizes import FULL
from pgqueue.bench.tables import number
from pgqueue.bench.targets import BULK, DRAIN, PICK_UP

CLAIM_OF_50 = "claim of 50, "
OURS = ("thread", "async", "process", "pgqueue")


def drawn(found: Results) -> Iterator[tuple[str, str]]:
    """The name and the SVG of each figure that the run has values for."""
    yield "ratios", bars("Share of the raw ceiling; dashed: the target", list(_ratios(found)))
    for name, figure, title in (
        ("drain", DRAIN, "Drain, one worker, jobs a second"),
        ("bulk", BULK, "Bulk enqueue, jobs a second"),
        ("pickup", PICK_UP, "Pick-up of an idle worker, p50, milliseconds (less is better)"),
        ("beside", beside.DRAIN, "Drain beside others, one worker, jobs a second"),
        ("beside-bulk", beside.BULK, "Bulk enqueue beside others, jobs a second"),
        ("beside-enqueue", beside.enqueue(1), "Enqueue beside others, one client, jobs a second"),
        ("beside-heard", beside.HEARD, "Enqueue beside others while a worker listens, jobs a second"),
        ("beside-pickup", f"{beside.PICK_UP} p50", "Pick-up beside others, p50, milliseconds (less is better)"),
    ):
        if rows := list(_subjects(found, figure)):
            # Where less is better, one peer that takes a second would hide the milliseconds of all others.
            yield name, bars(title, rows, cut=name.endswith("pickup"))
    if rows := list(_shapes(found)):
        yield "claims", bars("Claim of 50 jobs, p95, milliseconds", rows)
    workers = [_median(found, Key(drained_by(count), "thread")) for count in FULL.workers]
    if any(workers):
        steps = [str(count) for count in FULL.workers]
        yield "workers", lines("Drain by several workers together", steps, {"thread": workers}, "jobs/s")
    steps = [part(each) for each in range(PARTS)]
    rates = [_median(found, Key(RATE, step)) for step in steps]
    claims = [_median(found, Key(CLAIM, step)) for step in steps]
    tenths = [str(each + 1) for each in range(PARTS)]
    if any(rates):
        yield "horizon", lines("Drain while a snapshot is held, tenth by tenth", tenths, {"thread": rates}, "jobs/s")
    if any(claims):
        yield "horizon-claims", lines("Claim p95 while a snapshot is held", tenths, {"p95": claims}, "ms")


def _ratios(found: Results) -> Iterator[Bar]:
    for verdict in found.verdicts:
        target = verdict.target
        if verdict.reached and target.over and target.sense == "at least" and target.bound < 1:
            yield Bar(
                target.what.replace("`", ""), verdict.reached.median, number(verdict.reached.median), target.bound
            )


def _subjects(found: Results, figure: str) -> Iterator[Bar]:
    keys = dict.fromkeys(key for each in found.rounds for key in each if key.figure == figure)
    for key in keys:
        value = _median(found, key)
        if value is not None:
            ours = key.subject in OURS or key.subject.startswith("pgqueue,")
            label = f"pgqueue, {key.subject}" if ours and not key.subject.startswith("pgqueue") else key.subject
            yield Bar(label, value, number(value), ours=ours)


def _shapes(found: Results) -> Iterator[Bar]:
    name = f"{CLAIM_OF_50}p95"
    keys = list(dict.fromkeys(key for each in found.rounds for key in each if key.figure == name))
    few = _median(found, keys[0]) if keys else None
    for key in keys:
        value = _median(found, key)
        if value is not None and few is not None:
            yield Bar(key.subject, value, number(value), 1.5 * few if key != keys[0] else None)


def _median(found: Results, key: Key) -> float | None:
    spun = spread(values_of(found.rounds, key))
    return None if spun is None else spun.median
