"""An app's periodic tasks, written down as schedules: every worker looks at those, so that no beat has to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pgqueue.compat.celery.call_options import call_options
from pgqueue.compat.celery.flow import Given, new_job, options_of
from pgqueue.compat.celery.schedules import timing_of
from pgqueue.compat.celery.signatures import Signature
from pgqueue.cron import Timing
from pgqueue.errors import OptionError
from pgqueue.job import NewJob
from pgqueue.schedules import schedule, unschedule
from pgqueue.store import execute, schedules
from pgqueue.store.connection import SyncConnection

if TYPE_CHECKING:
    from pgqueue.compat.celery.app import Celery

_PAGE = 500
# About the call alone, which here is a tick.
_NOT_OF_SCHEDULES = ("delay", "run_at", "job_id", "notify", "max_args", "on_success", "on_failure", "on_end", "dead_to")


def write(app: Celery, conn: SyncConnection) -> None:
    """Have the schedules of an app in the database as its `beat_schedule` says: what is not in it any more goes."""
    prefix = f"{app.main}.beat:"
    wanted = {f"{prefix}{name}": entry for name, entry in app.conf["beat_schedule"].items()}
    for name, entry in wanted.items():
        new, timing = _job_of(app, name, entry)
        schedule(conn, name, new.target, new.args, **timing, **new.said())
    for name in list(_named(conn, prefix)):
        if name not in wanted:
            unschedule(conn, name)


def check(app: Celery) -> None:
    """Raise OptionError for what cannot be a schedule, TargetError or ArgumentError for what it could not enqueue."""
    for name, entry in app.conf["beat_schedule"].items():
        _, timing = _job_of(app, name, entry)
        Timing(**timing)


def _job_of(app: Celery, name: str, entry: Mapping[str, Any]) -> tuple[NewJob, dict[str, Any]]:
    """The job of a tick, and when it is due."""
    if not isinstance(entry, Mapping) or not {"task", "schedule"} <= entry.keys():
        raise OptionError(f"beat_schedule[{name!r}] must be a mapping with task and schedule, got {entry!r:.80}")
    if unknown := sorted(entry.keys() - {"task", "schedule", "args", "kwargs", "options", "relative"}):
        raise OptionError(f"beat_schedule[{name!r}] takes no {', '.join(unknown)}")
    call = Signature(entry["task"], entry.get("args") or (), entry.get("kwargs") or {}, entry.get("options"), app=app)
    new = new_job(call, Given(), options_of(call, Given(), app), app)
    if beyond := sorted(set(_NOT_OF_SCHEDULES) & new.said().keys()):
        raise OptionError(f"beat_schedule[{name!r}]: {', '.join(beyond)} cannot be said of each tick's job")
    return new, timing_of(entry["schedule"], app.conf["timezone"])


def entry_of(call: Signature, when: Any, options: Mapping[str, Any], app: Celery) -> dict[str, Any]:
    """What add_periodic_task() puts into the `beat_schedule`. Raises OptionError."""
    call_options(options, app.conf)
    timing_of(when, app.conf["timezone"])
    more = {**call.options, **options}
    return {"task": call.name, "schedule": when, "args": call.args, "kwargs": call.kwargs, "options": more}


def _named(conn: SyncConnection, prefix: str) -> Iterator[str]:
    """The schedules whose names begin so."""
    after = prefix
    while rows := execute(conn, schedules.rows(_PAGE, after)):
        for row in rows:
            if not row.name.startswith(prefix):
                return
            yield row.name
        after = rows[-1].name
