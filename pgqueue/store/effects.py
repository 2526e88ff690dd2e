"""The ledger of effects: what was done once, or may have been."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pgqueue.errors import EffectBusy
from pgqueue.record import Effect
from pgqueue.store.direct import Rows
from pgqueue.store.reading import load_json
from pgqueue.store.statement import Statement, nothing, only_value, query

Standing = Literal["first", "done", "busy", "unknown", "late"]


class Holder(NamedTuple):
    """Who enters a key: the claim that runs a job; nothing of it where an application does."""

    job: UUID | None = None
    worker: int | None = None
    claim: int | None = None
    attempt: int | None = None
    target: str | None = None


class Met(NamedTuple):
    """How a key stands for who enters it, and what is known of who was there before."""

    standing: Standing
    job_id: UUID | None = None
    attempt: int | None = None
    reserved_at: datetime | None = None
    done_at: datetime | None = None
    value: Any = None


def enter(
    scope: str, key: str, state: Literal["done", "reserved"], keep: timedelta, wait: float, again: bool, holder: Holder
) -> Statement[Met]:
    """Enter a key; `again` takes one over that is unknown. A transaction is waited for so many seconds. O(log n)."""
    return Statement(_ENTER, (scope, key, state, keep, wait, again, *holder), _met)


_ENTER = """
select standing, job_id, attempt, reserved_at, done_at, value::pg_catalog.text
from pgqueue.enter_effect(
  $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.text, $4::pg_catalog.interval, $5::pg_catalog.float8,
  $6::pg_catalog.bool, $7::pg_catalog.uuid, $8::pg_catalog.int8, $9::pg_catalog.int4, $10::pg_catalog.int4,
  $11::pg_catalog.text)
"""


def confirm(scope: str, key: str, keep: timedelta, value: str | None, holder: Holder) -> Statement[bool]:
    """A reservation is done; False if it is another's by now. O(log n)."""
    sql = """
    select pgqueue.confirm_effect(
      $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.uuid, $4::pg_catalog.int8, $5::pg_catalog.int4,
      $6::pg_catalog.interval, $7::pg_catalog.json)
    """
    return Statement(sql, (scope, key, holder.job, holder.worker, holder.claim, keep, value), only_value)


def leave(scope: str, key: str, unknown: bool, holder: Holder) -> Statement[bool]:
    """What was entered is free again, or unknown; False if it is another's by now. O(log n)."""
    sql = """
    select pgqueue.leave_effect(
      $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.uuid, $4::pg_catalog.int8, $5::pg_catalog.int4,
      $6::pg_catalog.bool)
    """
    return Statement(sql, (scope, key, holder.job, holder.worker, holder.claim, unknown), only_value)


def keep_value(scope: str, key: str, value: str) -> Statement[None]:
    """Keep what came of it, in the transaction that entered the key. O(log n)."""
    sql = "select pgqueue.keep_value($1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.json)"
    return Statement(sql, (scope, key, value), nothing)


def get(scope: str, key: str) -> Statement[Effect | None]:
    """What the ledger says of a key. Walks effects_pkey; O(log n)."""
    sql = (
        _COLUMNS
        + """
    where scope operator(pg_catalog.=) $1::pg_catalog.text and key operator(pg_catalog.=) $2::pg_catalog.text
    """
    )
    return Statement(sql, (scope, key), lambda rows: _effect(rows[0]) if rows else None)


def listed(
    scope: str | None, prefix: str, open_only: bool, most: int, after: tuple[str, str] = ("", "")
) -> Statement[list[Effect]]:
    """Effects behind a scope and key, by these; those alone that are not done, if asked for.

    Walks effects_pkey or effects_open from there; with a scope no further than its keys that begin with `prefix`.
    """
    name = "effects_open" if open_only else "effects"
    end = None if scope is None else _behind(prefix)
    values = (scope, prefix, end, most, *after)
    return Statement(query(name), values, lambda rows: [_effect(row) for row in rows])


def forget(scope: str, key: str) -> Statement[bool]:
    """A key is free; False if it was. Raises EffectBusy while an attempt is at it. O(log n)."""
    sql = "select pgqueue.forget_effect($2::pg_catalog.text, $1::pg_catalog.text)"
    return Statement(sql, (scope, key), _unless_busy(key))


def set_done(scope: str, key: str, keep: timedelta, value: str | None) -> Statement[bool]:
    """What was unknown is done; False if nothing was known. Raises EffectBusy while an attempt is at it. O(log n)."""
    sql = """
    select pgqueue.effect_done(
      $2::pg_catalog.text, $1::pg_catalog.text, $3::pg_catalog.interval, $4::pg_catalog.json)
    """
    return Statement(sql, (scope, key, keep, value), _unless_busy(key))


_COLUMNS = """
select scope, key, state, reserved_at, done_at, expires_at, target, job_id, attempt, value::pg_catalog.text
from pgqueue.effect
"""


def _unless_busy(key: str) -> Callable[[Rows], bool]:
    def read(rows: Rows) -> bool:
        (answer,) = rows[0]
        if answer is None:
            raise EffectBusy(f"an attempt is at {key!r} at this moment; try again when it has ended")
        return bool(answer)

    return read


def _behind(prefix: str) -> str | None:
    """What comes first behind all texts that begin so, by the numbers of their characters; None: nothing does."""
    while prefix:
        last = ord(prefix[-1]) + 1
        if last <= 0x10FFFF:
            return prefix[:-1] + chr(0xE000 if last == 0xD800 else last)
        prefix = prefix[:-1]
    return None


def _effect(row: Sequence[Any]) -> Effect:
    return Effect(*_with_value(row))


def _met(rows: Rows) -> Met:
    (row,) = rows
    return Met(*_with_value(row))


def _with_value(row: Sequence[Any]) -> list[Any]:
    """The last of its columns is JSON, or null."""
    return [*row[:-1], None if row[-1] is None else load_json(row[-1])]
