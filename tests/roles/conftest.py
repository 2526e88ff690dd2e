"""A database with the roles of pgqueue, and a login of each part: once a file, as roles belong to the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgqueue.cli.app import main
from pgqueue.granting import make_roles
from pgqueue.store.rights import PARTS
from tests.postgres import Databases

# Answers the exit code, what was printed, and what was said beside it.
Command = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Staffed:
    """A database with roles: `dsn` is the superuser's, `logins` are DSNs of an ordinary login of each part."""

    dsn: str
    conn: psycopg.Connection[Any]
    prefix: str
    logins: dict[str, str]

    def role(self, part: str) -> str:
        return f"{self.prefix}_{part}"

    def connect(self, part: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self.logins[part], autocommit=True)


@pytest.fixture(scope="module")
def staffed(databases: Databases) -> Iterator[Staffed]:
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    make_roles(dsn, name)
    logins = {part: f"{name}_some_{part}" for part in PARTS}
    with psycopg.connect(dsn, autocommit=True) as conn:
        for part, login in logins.items():
            words = sql.SQL("create role {} login in role {}")
            conn.execute(words.format(sql.Identifier(login), sql.Identifier(f"{name}_{part}")))
        yield Staffed(dsn, conn, name, {part: make_conninfo(dsn, user=login) for part, login in logins.items()})
    databases.drop(name)
    forget_roles(databases.server.dsn(), [*logins.values(), *(f"{name}_{part}" for part in PARTS)])


def forget_roles(dsn: str, roles: list[str]) -> None:
    """Drop roles of a database that is gone."""
    with psycopg.connect(dsn, autocommit=True) as admin:
        for role in roles:
            admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))


def typed(staffed: Staffed, part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A command as a login of this part types it."""
    monkeypatch.setenv("PGQUEUE_DSN", staffed.logins[part])

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return int(ended.value.code or 0), *capsys.readouterr()

    return run
