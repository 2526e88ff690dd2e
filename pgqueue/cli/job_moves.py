"""Jobs moved by hand, one after the other: what is said of each, and the exit code in the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from pgqueue import client, returned
from pgqueue.acting import jobs
from pgqueue.acting.jobs import Moved
from pgqueue.cli.acting import actor
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.telling import tell
from pgqueue.errors import JobFailed, JobNotFound, ResultTimeout
from pgqueue.job import JobState

if TYPE_CHECKING:
    import psycopg

Move = Callable[["psycopg.Connection[Any]", UUID], Exit]


def move_each(conn: psycopg.Connection[Any], given: list[str], move: Move) -> None:
    """Move each job in a transaction of its own; one that cannot be moved does not keep the others from it."""
    worst = Exit.FINE
    for each in given:
        try:
            worst = max(worst, move(conn, job_id_of(conn, each)))
        except JobNotFound as error:
            say_error(str(error))
            worst = max(worst, Exit.NOT_FOUND)
    if worst:
        raise typer.Exit(worst)


def moved(move: Callable[[psycopg.Connection[Any], UUID], Moved]) -> Move:
    """A move of which its state is printed, and why it could not be made."""

    def told(conn: psycopg.Connection[Any], job_id: UUID) -> Exit:
        became = move(conn, job_id)
        tell(f"{job_id} {became.state}", job=job_id, state=became.state)
        if became.done:
            return Exit.FINE
        say_error(became.said or f"{job_id} is {became.state}")
        return Exit.FAILED

    return told


def cancel(wait: timedelta | None, reason: str | None = None) -> Move:
    """Cancel a job; one that runs is asked to end, and waited for at most `wait`."""

    def move(conn: psycopg.Connection[Any], job_id: UUID) -> Exit:
        became = jobs.cancel(conn, actor(reason), job_id)
        state, was_told = became.state, became.state is JobState.RUNNING
        if was_told and wait is not None:
            state = _state_after(conn, job_id, wait)
        tell(f"{job_id} {state}", job=job_id, state=state)
        if state is JobState.CANCELLED:
            return Exit.FINE
        if state is not JobState.RUNNING:
            say_error(_ENDED_OTHERWISE[state].format(job_id) if was_told else f"{became.said}{_HINTS.get(state, '')}")
            return Exit.FAILED
        if wait is not None:
            say_error(f"{job_id} was told to end, and runs still after {wait.total_seconds():g} s")
            return Exit.FAILED
        say(f"{became.said}. `--wait 30` waits for its end")
        return Exit.FINE

    return move


def retry(reason: str | None = None) -> Move:
    """Revive a dead job, or make a waiting one due."""
    return moved(lambda conn, job_id: jobs.retry(conn, actor(reason), job_id))


def _state_after(conn: psycopg.Connection[Any], job_id: UUID, wait: timedelta) -> JobState:
    try:
        returned.result(conn, job_id, timeout=wait.total_seconds())
    except (JobFailed, ResultTimeout):
        return client.get_job(conn, job_id).state
    return JobState.SUCCEEDED


_HINTS = {JobState.DEAD: "; `pgqueue dead purge` forgets dead jobs"}
_ENDED_OTHERWISE = {
    JobState.SUCCEEDED: "{} was told to end, went on, and has succeeded",
    JobState.DEAD: "{} was told to end, and is dead: it ended by an error of its own; see `pgqueue jobs show`",
    JobState.READY: "{} was revived while it was waited for, and is ready",
    JobState.RETRYING: "{} was revived while it was waited for, and is to be tried again",
    JobState.SCHEDULED: "{} was revived while it was waited for, and is scheduled",
}
