"""One check after the other; what goes wrong in one is its verdict, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import psycopg

from pgqueue.doctor.bounds import Bounds
from pgqueue.doctor.checks import CHECKS, Check
from pgqueue.doctor.patient import NoAnswerError, Patient
from pgqueue.doctor.verdict import Found, Status, Verdict, unknown
from pgqueue.errors import DatabaseUnreachable
from pgqueue.server_details import without_details
from pgqueue.store.connection import open_connection
from pgqueue.store.outages import in_words, is_lost

# Seconds; each question is bounded by the server below that.
PATIENCE = 5.0


def diagnose(dsn: str, checks: Sequence[Check] = CHECKS, bounds: Bounds | None = None) -> Iterator[Verdict]:
    """Ask these checks in turn. Raises DatabaseUnreachable, if there is no connection to begin with."""
    conn = open_connection(dsn, "doctor", deadline=PATIENCE)
    try:
        for check in checks:
            try:
                if conn.closed:
                    conn = open_connection(dsn, "doctor", deadline=PATIENCE)
                found = _answer(check, Patient(conn, dsn, bounds or Bounds()))
            except DatabaseUnreachable as error:
                found = Found(Status.FAIL, str(error))
            yield Verdict(check.name, found.status, found.text, found.cure, found.sql)
    finally:
        with closing(conn):
            pass


def _answer(check: Check, patient: Patient) -> Found:
    try:
        return check.ask(patient)
    except NoAnswerError:
        return unknown("no answer in time: the database is busy, or a table is locked")
    except psycopg.errors.InsufficientPrivilege as error:
        return unknown(f"this role has no right to see it: {in_words(error)}", "pgqueue doctor --only grants")
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName) as error:
        return unknown(f"not to be asked of this schema: {in_words(error)}", "pgqueue migrate")
    except psycopg.Error as error:
        if is_lost(patient.conn, error):
            patient.conn.close()
        return unknown(f"could not be asked: {in_words(error)}")
    except DatabaseUnreachable:
        raise
    # One check must not end the others, whatever it meets.
    except Exception as error:
        return unknown(f"could not be asked: {type(error).__name__}: {without_details(str(error), error)}")
