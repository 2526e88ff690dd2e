"""The arguments of jobs: encrypted as a whole; or each by itself, where the database puts the results of others beside.

On the way back a job opens what was encrypted for it, and what other jobs returned to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from pgqueue import exact_json
from pgqueue.encryption.places import Kind, Place
from pgqueue.encryption.values import decrypted, decrypted_text, encrypted, key_id_of, owner_of
from pgqueue.errors import EncryptionError
from pgqueue.sealed import CODEC, ENDED

# Results of groups stand in lists, those of several groups in lists of these.
_DEEPEST = 10


def encrypted_args(args: str, target: str, job_id: UUID | None, filled: Collection[str] = ()) -> str:
    """Arguments, JSON text, as they stand in a new job. No arguments stay what they are, and so does what is encrypted.

    Without an id for whatever job of the target is made of them. `filled` names those that the database fills in, or
    their places. Raises EncryptionError, KeyringError.
    """
    if args in ("{}", "[]") or _is_encrypted(args):
        return args
    if job_id is None:
        return encrypted(args, Place(Kind.TEMPLATE, target))
    return _each_encrypted(args, job_id, filled) if filled else encrypted(args, Place(Kind.ARGS, job_id))


def decrypted_args(value: Any, job_id: UUID, target: str, comes_here: Callable[[str], bool] | None = None) -> Any:
    """The arguments of a job as they were enqueued, with what was told to it by others.

    `comes_here` says whether what was encrypted for jobs of another target may have come to this one. Raises
    EncryptionError.
    """
    if isinstance(value, dict) and ENDED in value:
        rest = {name: each for name, each in value.items() if name != ENDED}
        opened = decrypted_args(rest, job_id, target, comes_here)
        if not isinstance(opened, dict):
            raise EncryptionError("what was encrypted for a follow-up are no arguments by keyword", lasting=True)
        return {**opened, ENDED: decrypted_end(value[ENDED])}
    if (key_id := key_id_of(value)) is not None:
        return decrypted(value, _place_of_args(value, key_id, job_id, target, comes_here))
    if isinstance(value, dict):
        return {name: _argument(each, job_id, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_argument(each, job_id, str(n)) for n, each in enumerate(value)]
    return value


def is_in(args: Any) -> bool:
    """Whether any of the arguments of a job are encrypted."""
    if key_id_of(args) is not None:
        return True
    values = args.values() if isinstance(args, dict) else args
    return any(key_id_of(each) is not None for each in values)


def decrypted_end(said: Any) -> Any:
    """The job that has ended, as a follow-up is told of it."""
    if not isinstance(said, dict) or not isinstance(said.get("id"), str):
        return said
    try:
        ended = UUID(said["id"])
    except ValueError:
        return said
    found = dict(said)
    if isinstance(error := said.get("error"), str):
        found["error"] = decrypted_text(error, Place(Kind.ERROR, ended))
    if "result" in said:
        found["result"] = decrypted(said["result"], Place(Kind.RESULT, ended))
    return found


def _is_encrypted(args: str) -> bool:
    return CODEC in args and key_id_of(json.loads(args)) is not None


def _each_encrypted(args: str, job_id: UUID, filled: Collection[str]) -> str:
    value = exact_json.read(args)
    if isinstance(value, dict):
        texts = [f"{json.dumps(name)}:{_one(each, job_id, name, filled)}" for name, each in value.items()]
        return f"{{{','.join(texts)}}}"
    return f"[{','.join(_one(each, job_id, str(n), filled) for n, each in enumerate(value))}]"


def _one(value: Any, job_id: UUID, name: str, filled: Collection[str]) -> str:
    text = exact_json.written(value, None)
    return text if name in filled else encrypted(text, Place(Kind.ARGUMENT, job_id, name))


def _place_of_args(
    value: Mapping[str, Any], key_id: str, job_id: UUID, target: str, comes_here: Callable[[str], bool] | None
) -> Place:
    owner = owner_of(value)
    if isinstance(owner, UUID):
        return Place(Kind.ARGS, job_id)
    if owner != target and (comes_here is None or not comes_here(owner)):
        raise EncryptionError(
            f"its arguments were encrypted for jobs of {owner}, and stand at one of {target}", key_id, lasting=True
        )
    return Place(Kind.TEMPLATE, owner)


def _argument(value: Any, job_id: UUID, detail: str, depth: int = 0) -> Any:
    """One argument: its own, or what another job returned, which is nobody else's to change, but any job's to be."""
    if isinstance(value, list) and depth < _DEEPEST:
        return [_argument(each, job_id, detail, depth + 1) for each in value]
    if key_id_of(value) is None:
        return value
    owner = owner_of(value)
    if owner == job_id:
        return decrypted(value, Place(Kind.ARGUMENT, job_id, detail))
    return decrypted(value, Place(Kind.RESULT, owner))
