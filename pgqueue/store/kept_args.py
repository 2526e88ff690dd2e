"""The arguments of a new job as they are written: encrypted, where those of its task are."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from pgqueue import encryption
from pgqueue.errors import OptionError
from pgqueue.job import NewJob


def kept_args(new: NewJob, args: str, job_id: UUID | None, filled: Collection[str] = ()) -> str:
    """The text of its arguments as it is written; without an id for whatever job comes of it.

    `filled` names those arguments that the database fills in. Raises EncryptionError, KeyringError, OptionError.
    """
    if not encryption.is_encrypted(new.name):
        return args
    if new.unique is not None:
        raise OptionError(
            f"{new.name} is encrypted, and unique={new.unique!r} would write a digest of its arguments, by which they"
            " can be guessed; say unique_key"
        )
    # A job that waits takes over the arguments of this one, and keeps its own id.
    whose = None if new.on_conflict == "replace" else job_id
    return encryption.encrypted_args(args, new.name, whose, filled)
