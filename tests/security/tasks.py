"""Tasks whose database says more of rows than an error is to tell."""

from __future__ import annotations

import logging
from typing import Any

import psycopg

from pgqueue.tasks import task

TABLE = "create table people (email text primary key, age int check (age > 0), born date)"


@task(transactional=True, max_attempts=1)
def register(conn: psycopg.Connection[Any], email: str, age: int = 30) -> None:
    conn.execute("insert into people (email, age) values (%s, %s)", [email, age])


@task(transactional=True, max_attempts=1)
def register_in_words(conn: psycopg.Connection[Any], email: str) -> None:
    """Tell of the error by other errors, and in the log."""
    try:
        conn.execute("insert into people (email, age) values (%s, 30)", [email])
    except psycopg.Error as error:
        logging.getLogger("shop").warning("refused: %s", error)
        logging.getLogger("shop").exception("refused, and how")
        told = RuntimeError(f"cannot register: {error!r}")
        raise ExceptionGroup("both", [told, ValueError(str(error))]) from error


@task(transactional=True, max_attempts=1)
def copy_people(conn: psycopg.Connection[Any], email: str) -> None:
    """Have the server say in its CONTEXT which value it was."""
    with conn.cursor().copy("copy people (email, age) from stdin") as copy:
        copy.write(f"{email}\n")


@task(max_attempts=1)
def sign_in(account: dict[str, str]) -> None:
    logging.getLogger("shop").warning("signing in %s", account)
    raise PermissionError(f"{account['user']} may not, with {account['password']} and from {account['home_phone']}")
