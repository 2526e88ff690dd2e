"""Erasure: one call removes a person from all that pgqueue keeps, a batch a transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus

from pgqueue.errors import OptionError
from pgqueue.options import check_integer
from pgqueue.store import erasing, execute
from pgqueue.store.erasing import PLACES, Sought

# Rows looked at in one transaction.
BATCH = 500
# Jobs that ran and are named, of those that were counted.
MOST_NAMED = 1_000


@dataclass(slots=True)
class Erasure:
    """What an erasure has done so far: `removed` counts rows by table, `jobs` those that waited and were cancelled.

    `running` are jobs that were asked to end and stay, at most a thousand of them: erase again when they have.
    `elsewhere` counts rows that name the person and are left. `place` is where to go on, None at the end.
    """

    removed: Counter[str] = field(default_factory=Counter)
    running: set[UUID] = field(default_factory=set)
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    place: str | None = None


def erase(
    conn: psycopg.Connection[Any],
    *,
    label: Mapping[str, str] | None = None,
    args: Mapping[str, str] | None = None,
    dry_run: bool = False,
    batch: int = BATCH,
    begin_at: str | None = None,
    after: Callable[[Erasure], object] = lambda _: None,
) -> Erasure:
    """Remove all jobs, in any state, that have one of these labels, or one of these values among their arguments.

    With their attempts, errors, logs, results, checkpoints and whatever else is kept of them. `args` names values by
    path: `{"email": ...}`, `{"items.0.email": ...}`; of positional arguments the first is `0`. What waits is
    cancelled; what runs is asked to end, and stays: see `running`.

    Commits a batch of rows at a time, so `conn` must have no transaction open; `after` hears of each. Ended before
    its time, the same call begins anew and misses nothing, or at the `place` where it was (`begin_at`). A `dry_run`
    rolls each batch back, and counts. Raises OptionError. Reads every table whole, once.
    """
    sought = _sought(label or {}, args or {})
    check_integer("batch", batch, 1, 10_000)
    if conn.info.transaction_status is not TransactionStatus.IDLE:
        raise OptionError("erase commits a batch at a time: give it a connection on which no transaction is open")
    place, behind = _place(begin_at)
    done = Erasure()
    for name in PLACES[PLACES.index(place) :]:
        while True:
            with conn.transaction(force_rollback=dry_run):
                found = execute(conn, erasing.erase_behind(name, behind, batch, sought, once=dry_run))
            done.removed.update({table: count for table, count in found.removed.items() if count})
            done.running.update(found.running[: MOST_NAMED - len(done.running)])
            done.place = f"{name}:{found.last or ''}"
            after(done)
            behind = found.last
            if behind is None:
                break
    with conn.transaction():
        done.elsewhere = {table: n for table, n in execute(conn, erasing.elsewhere(sought)).items() if n}
    done.place = None
    return done


def sought_in_words(label: Mapping[str, str], args: Mapping[str, str]) -> str:
    """By what somebody was sought, without the values: those are what is to be forgotten."""
    return ", ".join([*(f"label {name}" for name in label), *(f"argument {path}" for path in args)])


def _sought(label: Mapping[str, str], args: Mapping[str, str]) -> Sought:
    if not label and not args:
        raise OptionError("whom to erase? give a label, such as {'customer': '42'}, or an argument, {'email': 'a@b'}")
    for name, value in (*label.items(), *args.items()):
        if not isinstance(value, str) or not value:
            raise OptionError(f"the value of {name!r:.80} must be a text that is not empty, got {type(value).__name__}")
    paths = {path: path.split(".") for path in args}
    for path, parts in paths.items():
        if not all(parts):
            raise OptionError(f"an argument is named by a path such as email or items.0.email, got {path!r:.80}")
    return Sought(label, [(parts, args[path]) for path, parts in paths.items()])


def _place(begin_at: str | None) -> tuple[str, str | None]:
    name, _, behind = (begin_at or PLACES[0]).partition(":")
    if name not in PLACES:
        raise OptionError(f"an erasure goes on at a place that one has told, such as jobs:[...], got {begin_at!r:.80}")
    if behind:
        try:
            json.loads(behind)
        except ValueError:
            raise OptionError(f"an erasure goes on at a place that one has told, got {begin_at!r:.80}") from None
    elif begin_at and begin_at.endswith(":"):
        # That table was looked through.
        at = PLACES.index(name) + 1
        return PLACES[min(at, len(PLACES) - 1)], None
    return name, behind or None
