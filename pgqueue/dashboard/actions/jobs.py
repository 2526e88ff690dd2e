"""What is done with one job."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from pgqueue import client
from pgqueue.acting import audited, jobs
from pgqueue.acting.jobs import EDITABLE, WAITING, Moved
from pgqueue.dashboard.actions.action import Action, Doing, Done, Shown
from pgqueue.dashboard.actions.subjects import JOB
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.fields import DURATION, Field, moment, whole
from pgqueue.errors import UsageError
from pgqueue.exact_json import laid_out
from pgqueue.job import JobState
from pgqueue.masks import Args, unmasked
from pgqueue.printable import harmless_json
from pgqueue.store.showing import JobShown
from pgqueue.tasks import registered
from pgqueue.typed import arguments

LARGEST_FORM = 20_000


def _in(*states: JobState) -> Callable[[JobShown], bool]:
    return lambda shown: shown.job.state in states


def _done(moved: Moved, said: str) -> Done:
    return Done(moved.said or said, moved.done)


def _args_now(doing: Doing) -> str:
    """The arguments as they stand in a form: nothing of them for who may not see them."""
    text = doing.thing.args
    if text is None or len(text) > LARGEST_FORM or not doing.user.may("view_args"):
        return ""
    told = doing.redaction.of_args(doing.thing.job.target, text)
    return harmless_json(told.text) if told.is_readable else ""


def _seen(doing: Doing) -> str:
    return hashlib.sha256(_args_now(doing).encode(errors="replace")).hexdigest()[:16]


def _typed(doing: Doing) -> Args:
    """The arguments of a form, with the secrets that stood in it as dots. Raises UsageError."""
    shown: JobShown = doing.thing
    if doing.values["seen"] != _seen(doing):
        raise UsageError(
            "its arguments were changed by somebody else since this form was opened; look at the job first"
        )
    return unmasked(doing.values["args"], shown.args or "", shown.job.target, doing.redaction)


def _again(conn: Conn, doing: Doing) -> Done:
    job = client.get_job(conn, doing.thing.job.id)
    args = job.args if doing.values["args"] is None else _typed(doing)
    copy = jobs.run_again(conn, doing.actor, job, args, registered(job.target))
    return Done(copy.said or "Enqueued: this is the copy.", copy.done, ("job", {"id": copy.job_id}))


def _edit(conn: Conn, doing: Doing) -> Done:
    job = client.get_job(conn, doing.thing.job.id)
    return _done(
        jobs.edit(conn, doing.actor, job, _typed(doing), registered(job.target)), "It has these arguments now."
    )


def _snooze(conn: Conn, doing: Doing) -> Done:
    lasting, until = doing.values["for"], doing.values["until"]
    if (lasting is None) == (until is None):
        raise UsageError("say how long, or until when: one of both")
    return _done(jobs.snooze(conn, doing.actor, doing.thing.job.id, lasting or until), "Put off.")


def _reveal(conn: Conn, doing: Doing) -> Shown:
    shown: JobShown = doing.thing
    with audited(conn, doing.actor, "jobs reveal", job_ids=[shown.job.id]):
        text = shown.args or ""
    # What sounds like a secret; what the task calls sensitive is shown on no page.
    told = replace(doing.redaction, by_name=False).of_args(shown.job.target, text)
    return Shown("actions/revealed.html", {"text": laid_out(told.text)})


def _cancel_asks(shown: JobShown) -> str:
    if shown.job.state is JobState.RUNNING:
        return (
            "It runs. Its worker is told to end it: a child process that does not listen is killed after 5 s, a thread"
            " goes on. It will not run again."
        )
    return "It will never start, and cannot be revived: Run again makes a copy."


_ARGS = Field("args", "Arguments", arguments, "JSON: a list, or an object by keyword", _args_now, "json")
_SEEN = Field("seen", "Seen", now=_seen, kind="hidden")
ACTIONS = (
    Action(
        "retry",
        on=JOB,
        words="Retry",
        permission="retry",
        fits=_in(JobState.DEAD, JobState.RETRYING, JobState.MANUAL),
        act=lambda conn, doing: _done(jobs.retry(conn, doing.actor, doing.thing.job.id), "It is ready again."),
    ),
    Action(
        "due-now",
        on=JOB,
        words="Due now",
        permission="edit",
        fits=_in(JobState.SCHEDULED),
        act=lambda conn, doing: _done(jobs.make_due(conn, doing.actor, doing.thing.job.id), "It is due now."),
    ),
    Action(
        "edit",
        on=JOB,
        words="Edit",
        permission="edit",
        about="The old arguments are kept in pgqueue.revisions. Keys that were made from them stay. ••••• is left as it"
        " was.",
        fields=(replace(_ARGS, required=True), _SEEN),
        fits=_in(*EDITABLE),
        act=_edit,
    ),
    Action(
        "cancel",
        on=JOB,
        words="Cancel",
        permission="cancel",
        fits=_in(*WAITING, JobState.RUNNING, JobState.MANUAL, JobState.WAITING),
        asks=_cancel_asks,
        act=lambda conn, doing: _done(jobs.cancel(conn, doing.actor, doing.thing.job.id), "It is cancelled."),
    ),
    Action(
        "run-again",
        on=JOB,
        words="Run again",
        permission="run_again",
        about="A copy is enqueued, due now: with its queue, priority, keys and labels, and these arguments. Left empty,"
        " it has those of this job; ••••• is left as it was.",
        fields=(_ARGS, _SEEN),
        act=_again,
    ),
    Action(
        "priority",
        on=JOB,
        words="Priority",
        permission="edit",
        fields=(
            Field(
                "level",
                "Priority",
                whole,
                "higher runs first",
                lambda doing: str(doing.thing.job.priority or 0),
                kind="choice",
                choices=[(str(level), str(level)) for level in range(10)],
                required=True,
            ),
        ),
        fits=_in(*WAITING),
        act=lambda conn, doing: _done(
            jobs.set_priority(conn, doing.actor, doing.thing.job.id, doing.values["level"]), "It has this priority now."
        ),
    ),
    Action(
        "snooze",
        on=JOB,
        words="Snooze",
        permission="edit",
        fields=(
            Field("for", "For", DURATION, "90s, 5m, 1h30m, 2d"),
            Field("until", "Or until", moment, "2031-05-01T09:30+02:00"),
        ),
        fits=_in(*WAITING),
        act=_snooze,
    ),
    Action(
        "bury",
        on=JOB,
        words="Bury",
        permission="cancel",
        asks=lambda _shown: "It is dead at once, and waits for a human: Retry revives it.",
        fits=_in(*WAITING),
        act=lambda conn, doing: _done(jobs.bury(conn, doing.actor, doing.thing.job.id), "It is dead: buried."),
    ),
    Action("reveal", on=JOB, words="Reveal", permission="view_args", apart=True, act=_reveal),
)
