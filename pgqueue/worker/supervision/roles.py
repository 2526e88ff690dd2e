"""The roles of one worker id, wired: each knows values and callbacks, and none of the others."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from pgqueue.events import AttemptsFinished, Event, HostFailed, Observer
from pgqueue.worker.claiming.ageing import Ageing
from pgqueue.worker.claiming.claimer import Claimer
from pgqueue.worker.claiming.declared import Declared
from pgqueue.worker.claiming.headers import with_headers
from pgqueue.worker.claiming.listener import Listener
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.slots import Slots
from pgqueue.worker.claiming.trust import Trust
from pgqueue.worker.executors import EXECUTORS
from pgqueue.worker.executors.base import Executor, Lines, Report, Retire, Settings
from pgqueue.worker.hooks.apart import Apart
from pgqueue.worker.hooks.here import Here
from pgqueue.worker.hooks.teller import Teller
from pgqueue.worker.queue_settings import QueueSettings
from pgqueue.worker.settings import WorkerSettings
from pgqueue.worker.supervision.dumper import Dumper
from pgqueue.worker.supervision.infra import HostFailures, InfraErrors
from pgqueue.worker.supervision.lineage import Lineage
from pgqueue.worker.supervision.report import Reporter
from pgqueue.worker.supervision.requests import Requests
from pgqueue.worker.upkeep.chores import Chores, common_chores
from pgqueue.worker.upkeep.declarations import Declarations
from pgqueue.worker.upkeep.declared_rules import DeclaredRules
from pgqueue.worker.upkeep.fallbacks import Fallbacks
from pgqueue.worker.upkeep.heartbeat import BEATS_PER_LEASE, Heartbeat
from pgqueue.worker.upkeep.line_keeper import LineKeeper
from pgqueue.worker.upkeep.progress_keeper import ProgressKeeper
from pgqueue.worker.upkeep.scheduler import Scheduler
from pgqueue.worker.upkeep.secrecies import Secrecies
from pgqueue.worker.upkeep.tallies import Tallies
from pgqueue.worker.upkeep.unknown_targets import UnknownTargets
from pgqueue.worker.upkeep.watchdog import Watchdog

# One statement of the claim loop may take this share of its longest turn: it gives up before it counts as hanging.
STATEMENT_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Roles:
    """What works under one worker id."""

    outbox: Outbox
    executor: Executor
    listener: Listener
    claimer: Claimer
    heartbeat: Heartbeat
    declarations: Declarations
    unknown: UnknownTargets
    declared_rules: DeclaredRules
    secrecies: Secrecies
    fallbacks: Fallbacks
    queue_settings: QueueSettings
    tallies: Tallies
    lines: LineKeeper
    progress: ProgressKeeper
    teller: Teller


class Timings(NamedTuple):
    """Who hears how many seconds each step and each heartbeat took."""

    step: Callable[[float], None] = lambda _: None
    heartbeat: Callable[[float], None] = lambda _: None


# Makes the executor of a worker id, or what it has of one: of settings, report, observe, retire and lines.
MakeExecutor = Callable[[int, Settings, Report, Observer, Retire, Lines], Executor]


def make_roles(
    worker: int,
    settings: WorkerSettings,
    requests: Requests,
    observe: Observer,
    timings: Timings,
    make_executor: MakeExecutor | None = None,
) -> Roles:
    """The roles of a worker; none of them has begun. Its executor is its own, unless one is made for it."""
    infra = InfraErrors(settings.infra_limit, settings.infra_minutes, requests.retire_for)
    host = HostFailures(requests.retire_for)

    def hear(event: Event) -> None:
        if isinstance(event, AttemptsFinished):
            infra.hear(event.others)
        elif isinstance(event, HostFailed):
            host.hear(event)
        tallies.hear(event)
        observe(event)
        teller.hear(event)

    def renew(why: str) -> None:
        # At once, in the thread that found out: nothing more is claimed under this id.
        claimer.quiet("lineage")
        requests.renew_for(why)

    def cancel(ids: frozenset[UUID]) -> None:
        # What gathers there goes to the executor, and never back.
        claimer.cancel(ids)
        executor.cancel(ids)

    def look() -> None:
        queue_settings.changed()
        heartbeat.look()

    queue_settings = QueueSettings(settings.poll)
    tallies = Tallies(worker)
    lineage = Lineage(renew)
    outbox = Outbox(lambda first: claimer.outcomes_waiting(first))
    progress = ProgressKeeper(worker, hear, lambda: heartbeat.loop.wake())
    lines = LineKeeper(hear, lambda: heartbeat.loop.wake(), progress)
    given = settings.tasks, outbox.add, hear, requests.retire_for, lines
    executor = EXECUTORS[settings.executor](*given) if make_executor is None else make_executor(worker, *given)
    in_children = settings.executor == "process"
    teller = Teller(
        executor.hooked,
        executor.watch_starts,
        lambda: Apart(settings.tasks) if in_children else Here(settings.tasks.home),
        observe,
    )
    listener = Listener(
        worker,
        settings.listen_dsn or settings.dsn,
        settings.queues.names,
        hear,
        lambda names: claimer.hear(names),
        lambda: claimer.loop.turn(),
        told=settings.listen_dsn is not None,
        look=look,
        is_echo=lambda pid: claimer.is_echo(pid),
    )
    claimer = Claimer(
        worker,
        settings.dsn,
        settings.queues,
        Slots(
            settings.tasks.concurrency,
            executor.submit,
            executor.load,
            executor.give_back,
            executor.terms,
            executor.batching,
            executor.ended,
            executor.allotment,
        ),
        outbox,
        hear,
        poll=settings.poll,
        burst=settings.burst,
        ageing=Ageing(settings.ageing, queue_settings.ageing),
        told=lambda conn, claims: with_headers(
            conn, queue_settings.with_tenants(conn, queue_settings.told(claims)), executor.is_watched
        ),
        barred=queue_settings.refused,
        trust=_trust(settings, executor),
        hungry=listener.hungry,
        deaf=lambda: listener.deaf,
        evicted=requests.lose,
        renew=renew,
        connected=lineage.check,
        deadline=longest_turn(settings) * STATEMENT_SHARE,
        timed=timings.step,
    )
    reporter = Reporter(settings, executor, outbox, tallies)
    watchdog = Watchdog(
        worker,
        settings.queues,
        socket.gethostname(),
        hear,
        poll=settings.poll,
        every=settings.lease / BEATS_PER_LEASE,
        resting=claimer.resting,
        passed_by=lambda: claimer.passed_by,
        stuck=claimer.stuck,
        kick=claimer.begin_anew,
        # Beside others it is a matter of this database alone.
        retire=requests.retire_for if make_executor is None else requests.renew_for,
    )
    declarations = Declarations(worker, executor.at_most_once, executor.follows, executor.targets, executor.declared)
    unknown = UnknownTargets(worker, executor.targets, keep=settings.keep_unknown, poll=settings.poll)
    declared_rules = DeclaredRules(worker, settings.tasks.modules.named, executor.rules)
    secrecies = Secrecies(executor.secrecies)
    fallbacks = Fallbacks(worker, executor.fallbacks)
    chores = [
        *common_chores(observe, settings.poll, teller),
        (secrecies.look, 0.0),
        (fallbacks.look, 0.0),
        (teller.look, 0.0),
        (declared_rules.look, 0.0),
        (Scheduler(observe, settings.poll).look, 0.0),
        (declarations.look, 0.0),
        (unknown.look, 0.0),
        (queue_settings.look, 0.0),
        (tallies.look, 0.0),
        (watchdog.look, settings.lease / BEATS_PER_LEASE),
    ]
    dumper = Dumper(worker, executor, every=settings.lease / BEATS_PER_LEASE)
    heartbeat = Heartbeat(
        worker,
        settings.dsn,
        hear,
        Chores(chores, observe, prompt=[lines.look, progress.look], asked=[dumper.look]),
        lease=settings.lease,
        turning=lambda: time.monotonic() - claimer.loop.turned_at < longest_turn(settings),
        evicted=requests.lose,
        asked=requests.ask,
        cancelled=cancel,
        connected=lineage.check,
        timed=timings.heartbeat,
        report=lambda: reporter.said(claimer, heartbeat, listener),
    )
    return Roles(
        outbox,
        executor,
        listener,
        claimer,
        heartbeat,
        declarations,
        unknown,
        declared_rules,
        secrecies,
        fallbacks,
        queue_settings,
        tallies,
        lines,
        progress,
        teller,
    )


def longest_turn(settings: WorkerSettings) -> float:
    """A claim loop that has not turned for so many seconds hangs."""
    return max(settings.lease, 2 * settings.poll)


def _trust(settings: WorkerSettings, executor: Executor) -> Trust | None:
    """What says which jobs may run, if not all."""
    if settings.signed is None:
        return None
    declared = Declared(executor.rules, executor.follows)
    return Trust(settings.signed.keys, settings.signed.queues, declared, executor.terms)
