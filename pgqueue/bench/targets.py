"""The targets: a figure, what it is compared with, and how far it must reach. Nothing here is a measured value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgqueue.bench import (
    before,
    beside,
    draining,
    enqueueing,
    growth,
    horizon,
    limit_targets,
    picking_up,
)
from pgqueue.bench.beside import Rival
from pgqueue.bench.idle_workers import EXECUTORS
from pgqueue.bench.reading import Key, Round, Spread, ratios, spread, values_of
from pgqueue.bench.sizes import Sizes
from pgqueue.bench.target import Target

DRAIN, BULK = draining.figure(1), "bulk"
PICK_UP = "pick-up p50"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a target came to: None where nothing was measured."""

    target: Target
    reached: Spread | None

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the bound."""
        if self.reached is None:
            return None
        if self.target.sense == "at least":
            return self.reached.median >= self.target.bound
        return self.reached.median <= self.target.bound


def judge(target: Target, rounds: Sequence[Round]) -> Verdict:
    """The median over the rounds, of the ratio of each round where two figures are compared."""
    if target.over is None:
        return Verdict(target, spread(values_of(rounds, target.figure)))
    return Verdict(target, spread(ratios(rounds, target.figure, target.over)))


def targets(sizes: Sizes, rivals: Sequence[Rival] = (), *, compared: bool = False) -> list[Target]:
    """All of them, for the sizes of this run, its peers, and whether an earlier checkout was `compared`."""
    work = [*_drains(rivals), *_enqueues(rivals), *_pick_ups(rivals), *_costs(), *_claims(sizes)]
    return [*work, *_horizon_and_crowd(), *(_befores() if compared else []), *limit_targets.targets(sizes)]


def _befores() -> list[Target]:
    return [
        Target(
            f"drain without keys, `{executor}`, over an earlier checkout",
            Key(before.name(executor), before.NOW),
            0.97,
            Key(before.name(executor), before.BEFORE),
        )
        for executor in before.EXECUTORS
    ]


def _drains(rivals: Sequence[Rival]) -> list[Target]:
    found = []
    for executor, share in (("thread", 0.6), ("async", 0.6), ("process", 0.4)):
        found.append(
            Target(f"drain, `{executor}`, over the fastest loop", Key(DRAIN, executor), share, Key(DRAIN, "raw"))
        )
        mine = Key(beside.DRAIN, beside.ours(executor))
        for rival in rivals:
            # Full isolation costs what no queue in one process pays; of those in Python it is to be ahead all the same.
            bound = 0.85 if executor == "process" and not rival.python else 1
            found.append(Target(f"drain, `{executor}`, over {rival.name}", mine, bound, Key(mine.figure, rival.name)))
    return found


def _enqueues(rivals: Sequence[Rival]) -> list[Target]:
    found = []
    for number in enqueueing.CLIENTS:
        name = enqueueing.figure(number)
        found.append(Target(f"{name}, over psycopg's insert", Key(name, "pgqueue"), 0.85, Key(name, "psycopg")))
    found.append(Target("bulk enqueue, over COPY", Key(BULK, "pgqueue"), 0.7, Key(BULK, "COPY")))
    for figure, said in (
        (beside.enqueue(1), "enqueue, 1 client"),
        (beside.enqueue(8), "enqueue, 8 clients"),
        (beside.HEARD, "enqueue, a worker listening"),
        (beside.BULK, "bulk enqueue"),
    ):
        mine = Key(figure, beside.ours("process"))
        found += [Target(f"{said}, over {rival.name}", mine, 1, Key(figure, rival.name)) for rival in rivals]
    return found


def _pick_ups(rivals: Sequence[Rival]) -> list[Target]:
    found = []
    for executor in EXECUTORS:
        for share, bound in ((50, 1.3), (99, 2.0)):
            name = f"pick-up p{share}"
            over = Key(name, picking_up.CEILING)
            found.append(
                Target(f"{name}, `{executor}`, over a bare claim", Key(name, executor), bound, over, "at most")
            )
        loaded = Key(f"{picking_up.LOADED} p50", executor)
        found.append(Target(f"{loaded.figure}, `{executor}`", loaded, 3, None, "at most", "ms"))
    figure = f"{beside.PICK_UP} p50"
    for executor in EXECUTORS:
        mine = Key(figure, beside.ours(executor))
        for rival in rivals:
            what = f"{PICK_UP}, `{executor}`, over {rival.name}"
            found.append(Target(what, mine, 1, Key(figure, rival.name), "at most"))
    return found


def _costs() -> list[Target]:
    found = [
        Target(f"WAL per job, enqueued {how}", Key("WAL per job, enqueue to end", how), 1200, None, "at most", "B")
        for how in ("in bulk", "one by one")
    ]
    for executor in EXECUTORS:
        key = Key("transactions per job in a drain", executor)
        found.append(Target(f"transactions per job in a drain, `{executor}`", key, 0.05, None, "at most"))
    memory = Key("memory of the worker", "process")
    steady = Key("memory, end over middle", "process")
    found.append(Target("memory of the worker's parent", memory, 60, None, "at most", "MB"))
    found.append(Target("memory of the worker's parent, end over middle", steady, 1.05, None, "at most"))
    return found


def _claims(sizes: Sizes) -> list[Target]:
    if not sizes.claims:
        return []
    name = "claim of 50, p95"
    few, *others = growth.shapes(sizes)
    return [
        Target(f"claim p95, {shape.name}", Key(name, shape.name), 1.5, Key(name, few.name), "at most")
        for shape in others
        # A worker of many queues probes each of them: a figure, not a target.
        if shape.queues == 1
    ]


def _horizon_and_crowd() -> list[Target]:
    rate = horizon.RATE
    found = [
        Target("held horizon, last tenth over first", Key(rate, horizon.LAST), 0.8, Key(rate, horizon.FIRST)),
    ]
    for few, many in ((1, 2), (2, 4)):
        ours, over = Key(draining.figure(many), "thread"), Key(draining.figure(few), "thread")
        found.append(Target(f"throughput of {many} workers over {few}", ours, 1, over))
    return found


# The raw ceiling of each figure that has one.
CEILINGS = {
    DRAIN: "raw",
    BULK: "COPY",
    **{enqueueing.figure(number): "psycopg" for number in enqueueing.CLIENTS},
    **{f"{picking_up.IDLE} p{share}": picking_up.CEILING for share in (50, 95, 99)},
}
