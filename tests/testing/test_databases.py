"""Scratch databases: copies of a template, dropped after use, and swept up after runs that were killed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgqueue.embedded import Server
from pgqueue.errors import UsageError
from pgqueue.testing import DatabaseMixin, drain, enqueued, scratch_database
from pgqueue.testing.databases import SCRATCH, TEMPLATE, Databases
from tests.postgres import ROOT
from tests.testing import tasks
from tests.waiting import wait_until

OWNER = """
import sys, time
from pgqueue.testing.databases import Databases
databases = Databases(sys.argv[1])
print(databases.create().name, flush=True)
time.sleep(600)
"""


@pytest.fixture
def admin(server: Server) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        yield conn
        for name in names(conn, SCRATCH):
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def make(server: Server, admin: psycopg.Connection[Any]) -> Iterator[Any]:
    made: list[Databases] = []

    def make() -> Databases:
        made.append(Databases(server.dsn(tcp=True)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def names(conn: psycopg.Connection[Any], prefix: str) -> list[str]:
    rows = conn.execute("select datname from pg_database where starts_with(datname::text, %s)", [prefix])
    return [row[0] for row in rows]


def test_each_is_migrated_separate_and_dropped(make: Any, admin: psycopg.Connection[Any]) -> None:
    databases = make()
    with databases.create() as one, databases.create() as other:
        tasks.send.enqueue(one.connect(autocommit=True), 1)
        assert len(drain(one.dsn)) == 1
        assert drain(other.dsn) == []
        assert {one.name, other.name} <= set(names(admin, SCRATCH))
        with one.rolled_back() as conn:
            tasks.send.enqueue(conn, 1)
        assert drain(one.dsn) == []
        asyncio.run(use_async(one))
        assert "pgqueue_scratch" in repr(one)
    assert names(admin, SCRATCH) == []
    assert len(names(admin, TEMPLATE)) == 1


async def use_async(database: Any) -> None:
    async with database.rolled_back_async() as conn:
        await tasks.send.enqueue(conn, 1)
    async with await database.connect_async() as conn:
        assert await drain(conn) == []


def test_runs_at_once_make_one_template(make: Any, admin: psycopg.Connection[Any]) -> None:
    for name in names(admin, TEMPLATE):
        admin.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
    found: list[str] = []
    made = [make() for _ in range(3)]
    runs = [threading.Thread(target=lambda each: found.append(each.template()), args=(each,)) for each in made]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    assert len(found) == 3
    assert names(admin, TEMPLATE) == list(set(found))
    assert names(admin, SCRATCH) == []


def test_what_a_killed_run_left_is_dropped_by_the_next_and_what_is_used_is_not(
    make: Any, admin: psycopg.Connection[Any], server: Server
) -> None:
    owners = [
        subprocess.Popen(
            [sys.executable, "-c", OWNER, server.dsn(tcp=True)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for _ in range(2)
    ]
    try:
        killed, alive = (owner.stdout.readline().strip() for owner in owners if owner.stdout)
        owners[0].kill()
        owners[0].wait()
        wait_until(lambda: not _is_held(admin, killed), message="the session of the killed run ended")
        admin.execute("create database pgqueue_scratch_of_mine")
        make().template()
        assert sorted(names(admin, SCRATCH)) == sorted([alive, "pgqueue_scratch_of_mine"])
    finally:
        for owner in owners:
            owner.kill()
            owner.wait()
            if owner.stdout:
                owner.stdout.close()


def _is_held(admin: psycopg.Connection[Any], name: str) -> bool:
    (held,) = admin.execute(
        "select exists (select from pg_locks where locktype = 'advisory' and objid::int8 = hashtext(%s)::oid::int8)",
        [name],
    ).fetchone() or (False,)
    return bool(held)


def test_a_template_of_an_old_schema_goes_after_a_week(make: Any, admin: psycopg.Connection[Any]) -> None:
    now = int(time.time())
    for name, age in (("old", 8 * 86_400), ("young", 86_400)):
        admin.execute(f"create database {TEMPLATE}{name}")
        admin.execute(f"comment on database {TEMPLATE}{name} is 'made by pgqueue.testing, {now - age}'")
    make().template()
    assert f"{TEMPLATE}old" not in names(admin, TEMPLATE)
    assert f"{TEMPLATE}young" in names(admin, TEMPLATE)
    admin.execute(f"drop database {TEMPLATE}young")


def test_a_role_that_may_not_create_databases_is_told_what_to_do(
    server: Server, admin: psycopg.Connection[Any]
) -> None:
    admin.execute("create role tester login")
    try:
        dsn = psycopg.conninfo.make_conninfo(server.dsn(tcp=True), user="tester")
        databases = Databases(dsn)
        with pytest.raises(UsageError, match="alter role tester createdb"):
            databases.template()
        databases.close()
    finally:
        admin.execute("drop role tester")


def test_what_prepares_the_template_is_done_once(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.setenv("PGQUEUE_TEST_DSN", server.dsn(tcp=True))
    prepared: list[str] = []

    def prepare(dsn: str) -> None:
        prepared.append(dsn)
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("create table orders (id int)")

    with scratch_database(prepare=prepare) as database:
        assert database.connect().execute("select count(*) from orders").fetchone() == (0,)
    assert len(prepared) == 1


def test_the_mixin_serves_unittest(monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> None:
    monkeypatch.setenv("PGQUEUE_TEST_DSN", server.dsn(tcp=True))

    class Case(DatabaseMixin, unittest.TestCase):
        def test_one(self) -> None:
            tasks.send.enqueue(self.pgqueue_conn, 1)
            assert len(drain(self.pgqueue_conn)) == 1

        def test_two(self) -> None:
            assert enqueued(self.pgqueue_conn) == []

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    assert (result.testsRun, result.errors, result.failures) == (2, [], [])


@pytest.mark.faults
def test_without_a_server_an_embedded_one_is_started_and_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pgqueue.testing import server

    monkeypatch.delenv("PGQUEUE_TEST_DSN", raising=False)
    monkeypatch.setattr(server, "folder", lambda: tmp_path / "server")
    tmp_path.chmod(0o711)
    try:
        with scratch_database() as database, database.rolled_back() as conn:
            assert conn.execute("show fsync").fetchone() == ("off",)
            tasks.send.enqueue(conn, 1)
            assert len(drain(conn)) == 1
    finally:
        server._open.pop("").close()
        server._servers.pop().close()
