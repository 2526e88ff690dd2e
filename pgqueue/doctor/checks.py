"""All checks, in the order in which they are asked: a name that stays, and who answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pgqueue.doctor import cleaning, fleet, history, load, partitions, passwords, schema, server, wire
from pgqueue.doctor.patient import Patient
from pgqueue.doctor.verdict import Found


@dataclass(frozen=True, slots=True)
class Check:
    """A check: what it is called, and what asks."""

    name: str
    ask: Callable[[Patient], Found]

    @property
    def meaning(self) -> str:
        """What is well when it answers ok."""
        return (self.ask.__doc__ or "").strip().splitlines()[0]


CHECKS = tuple(
    Check(ask.__name__, ask)
    for ask in (
        server.server,
        server.settings,
        schema.schema,
        schema.indexes,
        schema.grants,
        wire.listen,
        wire.prepared,
        wire.clock,
        cleaning.horizon,
        cleaning.head,
        cleaning.autovacuum,
        cleaning.bloat,
        partitions.partitions,
        load.notify_queue,
        load.connections,
        fleet.targets,
        fleet.queues_unserved,
        fleet.leases,
        fleet.releases,
        fleet.timeouts,
        history.causes,
        fleet.manual,
        fleet.workflows,
        fleet.schedules_missed,
        fleet.orphans,
        history.tallies_lag,
        history.alerts,
        server.tls,
        passwords.passwords,
        server.privileges,
        load.args_size,
        load.oldest,
    )
)
