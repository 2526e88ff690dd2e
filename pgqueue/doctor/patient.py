"""The database that is looked at: questions that change nothing, each soon over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from pgqueue.doctor.bounds import Bounds
from pgqueue.store import Statement, execute
from pgqueue.store.direct import Rows
from pgqueue.store.looking import look
from pgqueue.store.session import OwnConnection
from pgqueue.store.statement import query

T = TypeVar("T")


class NoAnswerError(Exception):
    """A question took too long, or a table was locked."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A connection in autocommit mode to the database of this DSN."""

    conn: OwnConnection
    dsn: str
    bounds: Bounds

    def ask(self, question: str, *values: object) -> Rows:
        """The rows of one of the doctor's questions (store/sql/queries/doctor). Raises NoAnswerError."""
        return self.look(lambda conn: asked(conn, question, *values))

    def look(self, question: Callable[[psycopg.Connection[Any]], T]) -> T:
        """What several questions answer, of one moment. Raises NoAnswerError."""
        found = look(self.conn, lambda conn: (question(conn),))
        if found is None:
            raise NoAnswerError
        return found[0]


def asked(conn: psycopg.Connection[Any], question: str, *values: object) -> Rows:
    """The rows of one of the doctor's questions."""
    return execute(conn, Statement(query(f"doctor/{question}"), values, _as_they_are))


def _as_they_are(rows: Rows) -> Rows:
    return rows


def first(rows: Rows) -> Sequence[Any]:
    """The only row."""
    return rows[0]
