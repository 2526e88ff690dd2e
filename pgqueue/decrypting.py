"""What was read of a job, decrypted: for code that has the keys and wants to look."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from pgqueue import encryption
from pgqueue.codec import encode_args
from pgqueue.encryption import Kind, Place, line_detail
from pgqueue.errors import UsageError
from pgqueue.events import Finished
from pgqueue.naming import JobRef, id_of
from pgqueue.record import Attempt, Job, JobProgress, LogLine

R = TypeVar("R", Job, Attempt, LogLine, JobProgress, Finished)


def decrypted(record: R, job_id: JobRef | None = None) -> R:
    """The same job, attempt, progress or end of an attempt with what is encrypted of it as it was before; a line of a
    job's log with the `job_id` that it is of.

    What is not encrypted stays as it is. Raises EncryptionError if a key is missing, or it was not written there.
    """
    match record:
        case Job():
            return _job(record)
        case Attempt(job_id=owner):
            error, traceback = _texts(owner, record.error, record.traceback)
            return replace(record, error=error, traceback=traceback)
        case JobProgress(job_id=owner):
            note = encryption.decrypted_text(record.note, Place(Kind.NOTE, owner))
            return replace(record, note=note)
        case Finished():
            claim, settlement = record.claim, record.settlement
            if encryption.PREFIX in claim.args:
                args = encryption.decrypted_args(json.loads(claim.args), claim.id, claim.target, lambda _: True)
                claim = claim._replace(args=encode_args(args, math.inf))
            error, traceback = _texts(claim.id, settlement.error, settlement.traceback)
            settled = settlement._replace(error=error, traceback=traceback)
            return record._replace(claim=claim, settlement=settled)
        case LogLine() if job_id is not None:
            place = Place(Kind.LINE, id_of(job_id), line_detail(record.claim, record.seq))
            return replace(record, line=encryption.decrypted_text(record.line, place) or "")
        case LogLine():
            raise UsageError("a line does not say of which job it is: decrypted(line, job_id)")
        case _:
            raise UsageError(f"decrypted() takes what was read of a job, got {record!r:.80}")


def _job(job: Job) -> Job:
    # Also what was encrypted for jobs of another target, whose fallback this one is.
    args = encryption.decrypted_args(job.args, job.id, job.target, lambda _: True)
    error = encryption.decrypted_text(job.last_error, Place(Kind.ERROR, job.id))
    return replace(job, args=args, last_error=error)


def _texts(job_id: UUID, error: str | None, traceback: str | None) -> tuple[str | None, str | None]:
    return (
        encryption.decrypted_text(error, Place(Kind.ERROR, job_id)),
        encryption.decrypted_text(traceback, Place(Kind.TRACEBACK, job_id)),
    )
