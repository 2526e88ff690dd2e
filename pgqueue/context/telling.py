"""What whoever runs a job tells it, and asks of it; tell_*() from any thread."""

from __future__ import annotations

from typing import Any

from pgqueue.context.checkpoints import place_of
from pgqueue.context.job import JobContext, WorkerPhase
from pgqueue.job_log import Outlet
from pgqueue.store.line import Line


def equip(job: JobContext, line: Line, outlet: Outlet | None) -> None:
    """Let a job that is about to run ask and write in the database by itself; and have its lines go to the outlet."""
    job._line = line
    job._outlet = outlet


def give_line(job: JobContext, line: Line) -> None:
    """Let a job ask and write in the database by itself there, from now on."""
    job._line = line


def as_shown(job: JobContext, text: str) -> str:
    """What is said of a running job as it may be kept and read, without the secrets that it was given."""
    return job._shown(text)


def tell_cancelled(job: JobContext) -> None:
    """Let a running job know that nobody wants it any more; from any thread."""
    job._cancelled = True
    for waiting in (job._told, job._ending):
        if waiting is not None:
            waiting.set()


def tell_phase(job: JobContext, phase: WorkerPhase) -> None:
    """Let a running job know what its worker is about; from any thread."""
    job._phase = phase
    if phase is WorkerPhase.STOPPING and job._ending is not None:
        job._ending.set()


def phase_of(job: JobContext) -> WorkerPhase:
    """What the worker of a running job is about."""
    return job._phase


def resume_from(job: JobContext, value: Any) -> None:
    """Have a job that is about to run go on there, whatever the database says."""
    job._places.given(value)


async def keep_place(job: JobContext, value: object) -> None:
    """Keep where a running job goes on, and what it said of that before; nothing new if that is None."""
    if value is not None:
        await job._places.keep(place_of(value))
    await keep_last(job)


async def keep_last(job: JobContext) -> None:
    """Write down the checkpoint that was only remembered, if there is one."""
    if job._checkpoints is not None:
        await job._checkpoints.keep_last()


def tell_advanced(job: JobContext) -> None:
    """Let a job know that it has come further: crashes are counted in a row."""
    job._advanced()


def extended_until(job: JobContext) -> float | None:
    """The time.monotonic() until which a job has asked to run."""
    return job._extended_until
