"""What the database says through another driver: where it means an error of ours, that one is raised.

Every other error stays the driver's own, which is what its user catches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import DiagnosticField

from pgqueue.store.meaning import TOLD, told

# The names of psycopg2's diagnostics, and of asyncpg's attributes.
_FIELDS = {
    DiagnosticField.MESSAGE_PRIMARY: ("message_primary", "message"),
    DiagnosticField.MESSAGE_DETAIL: ("message_detail", "detail"),
    DiagnosticField.MESSAGE_HINT: ("message_hint", "hint"),
    DiagnosticField.SCHEMA_NAME: ("schema_name", "schema_name"),
    DiagnosticField.CONSTRAINT_NAME: ("constraint_name", "constraint_name"),
}


@contextmanager
def meant(kinds: tuple[type[Exception], ...]) -> Iterator[None]:
    """Errors of these kinds out of the block are told as ours, where they are."""
    try:
        yield
    except kinds as error:
        same = _as_psycopg(error)
        if isinstance(same, TOLD) and (ours := told(same)) is not same:
            raise ours from error
        raise


def errors_of(raw: object) -> tuple[type[Exception], ...]:
    """What the driver of a connection raises for what the database says, or for a link that is lost."""
    kinds: tuple[type[Exception], ...] = getattr(raw, "errors", (psycopg.Error,))
    return kinds


def _as_psycopg(error: Any) -> psycopg.Error | None:
    diag = getattr(error, "diag", None)
    state = getattr(error, "sqlstate", None) if diag is None else error.pgcode
    if state is None:
        return None
    try:
        kind = psycopg.errors.lookup(state)
    except KeyError:
        return None
    said = {
        field: getattr(error, attribute, None) if diag is None else getattr(diag, name)
        for field, (name, attribute) in _FIELDS.items()
    }
    info: dict[int, bytes | None] = {field: text.encode() for field, text in said.items() if text is not None}
    return kind(str(error), info=info)
