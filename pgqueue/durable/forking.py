"""A fork of a job that is encrypted: what it remembers was encrypted for the old job, and is for the new one.

By who has the keys: the database copies what it cannot read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pgqueue import encryption
from pgqueue.durable.memos import step_detail
from pgqueue.encryption import Kind, Place
from pgqueue.errors import EncryptionError
from pgqueue.store import durable
from pgqueue.store.asking import ask, required
from pgqueue.store.connection import ASYNC, driver, driver_async, is_async
from pgqueue.store.durable import CopiedStep
from pgqueue.store.sync_or_async import answer
from pgqueue.store.whole import whole, whole_async

# Steps of one statement.
PAGE = 500


async def forked(conn: Any, job_id: UUID, step: str) -> UUID:
    """The id of the new job, which no worker sees before all of it is there.

    In the transaction open on `conn`, or one of its own. Raises JobNotFound, OptionError, EncryptionError.
    """
    if is_async(conn):
        raw = await driver_async(conn)
        async with whole_async(raw, several=True):
            return await _forked(raw, job_id, step)
    below = driver(conn)
    if isinstance(below, ASYNC):
        return await _forked(below, job_id, step)
    with whole(below, several=True):
        return await _forked(below, job_id, step)


async def _forked(conn: Any, job_id: UUID, step: str) -> UUID:
    new: UUID = await answer(ask(conn, required(durable.fork(job_id, step), job_id)))
    args: str | None = await answer(ask(conn, durable.args_of_fork(new)))
    if args is not None and encryption.PREFIX in args:
        await answer(ask(conn, durable.set_args_of_fork(new, _args_anew(args, job_id, new))))
    after = -1
    while page := await answer(ask(conn, durable.copied_steps(new, encryption.PREFIX, after, PAGE))):
        await answer(ask(conn, durable.set_copied_steps(new, [_step_anew(each, job_id, new) for each in page])))
        after = page[-1].nth
    return new


def _args_anew(args: str, old: UUID, new: UUID) -> str:
    value = json.loads(args)
    if encryption.key_id_of(value) is None:
        return "".join(_each_anew(value, old, new))
    owner = encryption.owner_of(value)
    # What a schedule or a follow-up has made may be of any job.
    return _anew(value, Place(Kind.ARGS, old), new) if isinstance(owner, UUID) else args


def _each_anew(value: Any, old: UUID, new: UUID) -> Iterator[str]:
    named = isinstance(value, dict)
    pairs = value.items() if named else enumerate(value)
    texts = (
        f"{f'{json.dumps(name)}:' if named else ''}{_argument_anew(each, old, new, str(name))}" for name, each in pairs
    )
    yield "{" if named else "["
    yield ",".join(texts)
    yield "}" if named else "]"


def _argument_anew(value: Any, old: UUID, new: UUID, name: str) -> str:
    is_own = encryption.key_id_of(value) is not None and encryption.owner_of(value) == old
    return _anew(value, Place(Kind.ARGUMENT, old, name), new) if is_own else json.dumps(value)


def _step_anew(step: CopiedStep, old: UUID, new: UUID) -> CopiedStep:
    result, undo = step.result, step.undo
    if result is not None and encryption.PREFIX in result:
        result = _result_anew(json.loads(result), step, old, new)
    if undo is not None and encryption.PREFIX in undo:
        said = json.loads(undo)
        place = Place(Kind.STEP, old, step_detail(step.kind, step.name, undo=True))
        given = _anew(said["given"], place, new)
        undo = f'{{"target":{json.dumps(said["target"])},"given":{given}}}'
    return step._replace(result=result, undo=undo)


def _result_anew(value: Any, step: CopiedStep, old: UUID, new: UUID) -> str:
    if encryption.key_id_of(value) is not None:
        return _anew(value, Place(Kind.STEP, old, step_detail(step.kind, step.name)), new)
    if not isinstance(value, dict) or "got" not in value:
        return json.dumps(value)
    # What it waited for: signals of its own, and the ends of children, which are bound to these.
    got = ",".join(_signal_anew(each, step.name, old, new) for each in value["got"])
    return f'{{"got":[{got}]}}'


def _signal_anew(value: Any, name: str, old: UUID, new: UUID) -> str:
    if encryption.key_id_of(value) is None or encryption.owner_of(value) != old:
        return json.dumps(value)
    try:
        return _anew(value, Place(Kind.SIGNAL, old, name), new)
    except EncryptionError:
        # The second wait for the same signal is called `name#2`.
        return _anew(value, Place(Kind.SIGNAL, old, name.rpartition("#")[0]), new)


def _anew(value: Any, place: Place, new: UUID) -> str:
    if encryption.key_id_of(value) is None:
        return json.dumps(value)
    return encryption.encrypted(encryption.decrypted_json(value, place), place._replace(owner=new))
