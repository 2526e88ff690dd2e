"""The ledger of effects, for code outside of jobs: once() in a transaction of its own, and what stands there."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Literal, overload

from pgqueue import encryption
from pgqueue.codec import encode
from pgqueue.context import running
from pgqueue.ledger import KEEP, SCOPE, WAIT, Once, Terms, Within
from pgqueue.ledger.terms import check_effect, place_of
from pgqueue.options import Duration, check_choice, check_duration
from pgqueue.record import Effect
from pgqueue.retry import seconds
from pgqueue.store import Statement, effects, execute
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.store.effects import Holder
from pgqueue.store.line import Line


def once(
    conn: AnyConnection,
    key: str,
    *,
    scope: str = SCOPE,
    keep: Duration = KEEP,
    wait: Duration = WAIT,
    on_unknown: Literal["run", "skip", "raise"] = "raise",
) -> Once:
    """Do something once in the transaction open on `conn`: `with pgqueue.once(conn, key) as first:`, or `async with`.

    The ledger is that of job.once(), so that jobs and applications see what the other has done. The key is done if and
    only if the transaction commits. Waits at most `wait` for another one who is at it, and then raises EffectBusy;
    raises EffectUnknown if a job vanished over it, unless `on_unknown` is to "run" it again or to "skip" it.
    """
    check_choice("on_unknown", on_unknown, ("run", "skip", "raise"))
    job = running.get()
    encrypted = encryption.encrypts_all() if job is None else job.is_encrypted
    terms = Terms(key=key, scope=scope, keep=keep, wait=wait, on_unknown=on_unknown, encrypted=encrypted)
    return Once(Within(Line.on(conn), terms, Holder() if job is None else job._holder()), terms)


@overload
def get_effect(conn: SyncConnection, key: str, *, scope: str = ...) -> Effect | None: ...
@overload
def get_effect(conn: AsyncConnection, key: str, *, scope: str = ...) -> Awaitable[Effect | None]: ...
def get_effect(conn: AnyConnection, key: str, *, scope: str = SCOPE) -> Awaitable[Effect | None] | Effect | None:
    """What the ledger says of a key; None if nothing."""
    check_effect(key, scope)
    found = effects.get(scope, key)
    return execute(conn, Statement(found.sql, found.params, lambda rows: _decrypted(found.read(rows))))


@overload
def forget_effect(conn: SyncConnection, key: str, *, scope: str = ...) -> bool: ...
@overload
def forget_effect(conn: AsyncConnection, key: str, *, scope: str = ...) -> Awaitable[bool]: ...
def forget_effect(conn: AnyConnection, key: str, *, scope: str = SCOPE) -> bool | Awaitable[bool]:
    """Have the ledger forget a key: whoever comes next does it. False if nothing was known of it.

    Raises EffectBusy while an attempt is at it.
    """
    check_effect(key, scope)
    return execute(conn, effects.forget(scope, key))


@overload
def effect_done(
    conn: SyncConnection, key: str, *, scope: str = ..., keep: Duration = ..., value: object = ...
) -> bool: ...
@overload
def effect_done(
    conn: AsyncConnection, key: str, *, scope: str = ..., keep: Duration = ..., value: object = ...
) -> Awaitable[bool]: ...
def effect_done(
    conn: AnyConnection, key: str, *, scope: str = SCOPE, keep: Duration = KEEP, value: object = None
) -> bool | Awaitable[bool]:
    """Have the ledger know that what was unknown was done. False if nothing was known of the key.

    Raises EffectBusy while an attempt is at it.
    """
    check_effect(key, scope)
    check_duration("keep", keep, zero=False, infinite=False)
    text = None if value is None else encode(value, "value")
    if text is not None and encryption.encrypts_all():
        text = encryption.encrypted(text, place_of(key, scope))
    return execute(conn, effects.set_done(scope, key, timedelta(seconds=seconds(keep)), text))


def _decrypted(effect: Effect | None) -> Effect | None:
    if effect is None:
        return None
    return replace(effect, value=encryption.decrypted(effect.value, place_of(effect.key, effect.scope)))
