"""Two tenants in one database, each with a role that has every right on every table, so that nothing but their being
tenants keeps them apart; one database a module, emptied before each test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from pgqueue.store import emptying, execute
from pgqueue.tenancy import switch_on
from tests.postgres import Databases

Conn = psycopg.Connection[Any]
# By the start of their names; each database has roles of its own.
KINDS = ("acme", "globex", "shared", "stranger", "worker")
RIGHTS = """
grant usage on schema pgqueue to {role};
grant select, insert, update, delete on all tables in schema pgqueue to {role};
grant usage on all sequences in schema pgqueue to {role};
grant execute on all functions in schema pgqueue to {role}
"""


@dataclass(slots=True)
class Town:
    """A database where tenants are on: `acme` and `globex` act for themselves, `shared` for any, `stranger` for nobody,
    and `worker` sees all.
    """

    dsn: str
    roles: dict[str, str]
    opened: list[Conn] = field(default_factory=list)

    def dsn_of(self, kind: str) -> str:
        """How to reach it as a role."""
        return f"{self.dsn} user={self.roles[kind]}"

    def connect(self, kind: str, tenant: str | None = None, *, autocommit: bool = True) -> Conn:
        """A connection as a role, whose session acts for a tenant."""
        conn = psycopg.connect(self.dsn_of(kind), autocommit=True)
        self.opened.append(conn)
        if tenant is not None:
            conn.execute("select set_config('pgqueue.tenant', %s, false)", [tenant])
        conn.autocommit = autocommit
        return conn

    @property
    def owner(self) -> Conn:
        """A connection as the owner of the schema."""
        conn = psycopg.connect(self.dsn, autocommit=True)
        self.opened.append(conn)
        return conn


@pytest.fixture(scope="module")
def built(databases: Databases) -> Iterator[Town]:
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    roles = {kind: f"{kind}_{uuid4().hex[:8]}" for kind in KINDS}
    with psycopg.connect(dsn, autocommit=True) as admin:
        for role in roles.values():
            admin.execute(sql.SQL("create role {role} login;" + RIGHTS).format(role=sql.Identifier(role)))
        switch_on(dsn, [roles["worker"]])
        for kind, tenant in (("acme", "acme"), ("globex", "globex"), ("shared", "*")):
            admin.execute("insert into pgqueue.tenant_roles values (%s, %s)", [roles[kind], tenant])
    yield Town(dsn, roles)
    with psycopg.connect(dsn, autocommit=True) as admin:
        for role in roles.values():
            admin.execute(sql.SQL("drop owned by {role}; drop role {role}").format(role=sql.Identifier(role)))
    databases.drop(name)


@pytest.fixture
def town(built: Town) -> Iterator[Town]:
    with psycopg.connect(built.dsn) as admin:
        bound = admin.execute("select role, tenant from pgqueue.tenant_roles").fetchall()
        execute(admin, emptying.everything())
        admin.cursor().executemany("insert into pgqueue.tenant_roles values (%s, %s) on conflict do nothing", bound)
    yield built
    while built.opened:
        built.opened.pop().close()


@pytest.fixture
def acme(town: Town) -> Conn:
    return town.connect("acme", "acme")


@pytest.fixture
def globex(town: Town) -> Conn:
    return town.connect("globex", "globex")


@pytest.fixture
def worker(town: Town) -> Conn:
    return town.connect("worker")
