"""A job of another queue as a new job of ours, or why it cannot be one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import UUID

from pgqueue.codec import encode_args
from pgqueue.errors import PgqueueError, UsageError
from pgqueue.globs import matches
from pgqueue.ids import new_job_id
from pgqueue.importing.report import Report
from pgqueue.importing.rules import Rule, target_for
from pgqueue.importing.sources import Call, Payload, Source
from pgqueue.job import Args, NewJob
from pgqueue.store.foreign_jobs import ForeignJob
from pgqueue.store.keys import check_key
from pgqueue.tasks import Modules, Refused, Unknown, find_task, target_of
from pgqueue.tasks.addressing import Names, named

# Before a lock of Procrastinate, in the limit keys that keep it.
LOCK = "lock:"


@dataclass(frozen=True)
class Terms:
    """From where, what names mean, and which of them.

    With `apps` a job must be one of their tasks, whose options hold, and fit its parameters. `only` is a glob of names
    there, `queue` the one that all of them wait in here. `table` is where they stand, `[schema.]name`, if not as usual.
    """

    source: Source
    rules: Sequence[Rule] = ()
    apps: Sequence[str] = ()
    only: str | None = None
    queue: str | None = None
    payload: Payload = "json"
    table: str | None = None

    @cached_property
    def known(self) -> Names:
        """What has been looked up already."""
        return {}


def translated(found: ForeignJob, terms: Terms, report: Report) -> NewJob | None:
    """The job as one of ours; None if it stays where it is: why is in the report then."""
    if terms.only is not None and not matches(terms.only, found.name):
        return None
    try:
        new = _new_job(found, terms)
        # Said now, of this job alone: together they would all be refused.
        encode_args(new.args)
        check_key(new)
    except (PgqueueError, Refused, Unknown) as error:
        report.leave(found, str(error))
        return None
    if found.priority not in terms.source.levels:
        report.note("their priority is 0 or 9 now, the nearest that there is")
    if found.lock is not None:
        report.note(f"their lock is a limit key now, and the limit {LOCK}* lets one of a key run at a time")
    return new


def _new_job(found: ForeignJob, terms: Terms) -> NewJob:
    source = terms.source
    target = target_for(found.name, terms.rules)
    if target is None:
        raise UsageError("no rule says what its name means; add one: --map 'NAME=module:function'")
    new = NewJob(
        target,
        _args(target, source.read(found.content, terms.payload), terms),
        queue=terms.queue or found.queue,
        priority=source.level(found.priority),
        run_at=found.run_at,
        unique_key=found.key,
        unique_until="start" if found.key is not None and source.frees_key_at_start else None,
        store_result=source.stores_results or None,
        # Whatever its task says: one key that is taken must not roll back the others.
        on_conflict=None if found.key is None else "keep",
        limit_key=None if found.lock is None else f"{LOCK}{found.lock}",
        labels={"imported_from": source.name, "imported_id": str(found.id)},
    )
    # Without an app nothing is known of the task, whatever this process has imported.
    new = named(new, terms.known) if terms.apps else replace(new, target=target_of(target))
    if source.keeps_ids:
        return replace(new, job_id=UUID(str(found.id)))
    # With a key its number tells whether it was the first to take it; without one a batch goes in faster by far.
    return replace(new, job_id=new_job_id()) if new.unique_key is not None or new.unique is not None else new


def _args(target: str, call: Call, terms: Terms) -> Args:
    if terms.apps:
        return find_task(target, Modules(tuple(terms.apps))).job(*call.args, **call.kwargs).args
    return call.as_stored()
