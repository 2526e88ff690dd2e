"""Tenants where pgqueue has made its roles: functions run with the rights of their owner, and tell no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

import pgqueue
from pgqueue.granting import make_roles
from pgqueue.job import NewJob
from pgqueue.migrate import migrate
from pgqueue.partitioning import partition_history
from pgqueue.tenancy import switch_off, switch_on
from tests.factories import TARGET
from tests.postgres import Databases
from tests.roles.conftest import forget_roles
from tests.tenants import tasks
from tests.worker.running import ThreadedWorker

Conn = psycopg.Connection[Any]
PARTS = ("producer", "worker", "operator", "reader", "admin", "migrator")


@dataclass(slots=True)
class Company:
    """A database with roles, and for each of two tenants a site, a support and somebody who looks on."""

    dsn: str
    prefix: str
    opened: list[Conn] = field(default_factory=list)

    def connect(self, login: str, tenant: str | None = None) -> Conn:
        conn = psycopg.connect(self.dsn_of(login), autocommit=True)
        self.opened.append(conn)
        if tenant is not None:
            conn.execute("select set_config('pgqueue.tenant', %s, false)", [tenant])
        return conn

    def dsn_of(self, login: str) -> str:
        return f"{self.dsn} user={self.prefix}_{login}"


LOGINS = {
    **{f"{tenant}_site": "producer" for tenant in ("acme", "globex")},
    **{f"{tenant}_support": "operator" for tenant in ("acme", "globex")},
    **{f"{tenant}_look": "reader" for tenant in ("acme", "globex")},
    "fleet": "worker",
    "builder": "migrator",
}


@pytest.fixture(scope="module")
def company(databases: Databases) -> Iterator[Company]:
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    make_roles(dsn, name)
    with psycopg.connect(dsn, autocommit=True) as conn:
        for login, part in LOGINS.items():
            conn.execute(f"create role {name}_{login} login in role {name}_{part}")
            if "_" in login:
                conn.execute(
                    "insert into pgqueue.tenant_roles values (%s, %s)", [f"{name}_{login}", login.split("_")[0]]
                )
    assert switch_on(dsn) == [f"{name}_admin", f"{name}_worker"]
    made = Company(dsn, name)
    yield made
    while made.opened:
        made.opened.pop().close()
    databases.drop(name)
    forget_roles(databases.server.dsn(), [f"{name}_{each}" for each in (*LOGINS, *PARTS)])


@pytest.fixture
def ids(company: Company) -> dict[str, UUID]:
    """A job of acme's that waits and one that is dead."""
    site = company.connect("acme_site", "acme")
    waits = pgqueue.enqueue(site, TARGET, ["secret"], queue="secret-plans").id
    dead = pgqueue.enqueue(site, TARGET, ["secret"], queue="secret-plans").id
    support = company.connect("acme_support", "acme")
    assert support.execute(
        "select became from pgqueue.operate(%s, 'bury', '{ready}', null, 'x')", [[dead]]
    ).fetchone() == ("done",)
    return {"waits": waits, "dead": dead}


def states(company: Company) -> list[Any]:
    with psycopg.connect(company.dsn) as conn:
        return conn.execute("select id, state, priority, tenant from pgqueue.job order by id").fetchall()


def test_producers_enqueue_for_their_own_tenant_by_every_way(company: Company) -> None:
    for tenant in ("acme", "globex"):
        site = company.connect(f"{tenant}_site", tenant)
        assert pgqueue.enqueue(site, TARGET, unique_key="same").created
        assert not pgqueue.enqueue(site, TARGET, unique_key="same").created
        assert len(pgqueue.enqueue_many(site, [NewJob(TARGET, [n]) for n in range(150)])) == 150
        nodes = '[{"name": "a", "target": "a:a"}, {"name": "b", "target": "a:b", "after": ["a"]}]'
        assert site.execute("select pgqueue.enqueue_workflow('w', %s, 'same')", [nodes]).fetchone()
        site.execute("select pgqueue.enqueue('a:b', queue => 'mail', unique_key => 'sql')")
        site.execute("set pgqueue.tenant = 'initech'")
        with pytest.raises(errors.InsufficientPrivilege, match="may not act for the tenant"):
            pgqueue.enqueue(site, TARGET)
        with pytest.raises(errors.InsufficientPrivilege, match="may not act for the tenant"):
            pgqueue.enqueue(site, TARGET, unique_key="x")
        with pytest.raises(errors.InsufficientPrivilege, match="may not act for the tenant"):
            site.execute("select pgqueue.enqueue('a:b')")
    with psycopg.connect(company.dsn) as conn:
        found = conn.execute("select tenant, count(*) from pgqueue.job group by 1 order by 1").fetchall()
        assert {name for name, _ in found} == {"acme", "globex"}
        assert len({count for _, count in found}) == 1


def test_limits_of_roles_and_targets_of_queues_hold_for_tenants(company: Company) -> None:
    site = company.connect("acme_site", "acme")
    with psycopg.connect(company.dsn, autocommit=True) as conn:
        pgqueue.set_role_limit(conn, f"{company.prefix}_producer", max_args=100)
        pgqueue.allow_targets(conn, "payments", ["shop.payments:*"])
        try:
            for options in ({"args": ["x" * 200]}, {"queue": "payments"}):
                with pytest.raises(pgqueue.PgqueueError):
                    pgqueue.enqueue(site, TARGET, **options)
        finally:
            pgqueue.remove_role_limit(conn, f"{company.prefix}_producer")
            pgqueue.allow_targets(conn, "payments", None)
    assert pgqueue.enqueue(site, TARGET, queue="payments").created


def test_operators_move_ones_own_jobs_alone(company: Company, ids: dict[str, UUID]) -> None:
    before = states(company)
    theirs = company.connect("globex_support", "globex")
    for job_id in ids.values():
        for call in (
            "cancel(%s)", "retry(%s)", "signal(%s, 'go')", "set_priority(%s, 9::smallint)", "fork(%s, 'a')",
            "set_due(%s, now())",
        ):  # fmt: skip
            assert not (theirs.execute(f"select pgqueue.{call}", [job_id]).fetchone() or [None])[0], call
        purge = "select became from pgqueue.operate(%s, 'purge', '{dead,ready}', null, 'x')"
        assert theirs.execute(purge, [[job_id]]).fetchone() == ("skipped",)
        assert theirs.execute("select * from pgqueue.explain(%s)", [job_id]).fetchall() == []
        assert theirs.execute("select * from pgqueue.job_tree(%s)", [job_id]).fetchall() == []
        with pytest.raises(pgqueue.JobNotFound):
            pgqueue.get_job(theirs, job_id)
    theirs.execute("select pgqueue.retry_dead(null, null, null, 100)")
    assert states(company) == before
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        theirs.execute("select pgqueue.pause_queue('default')")
    ours = company.connect("acme_support", "acme")
    assert ours.execute("select pgqueue.retry(%s)", [ids["dead"]]).fetchone() == ("ready",)
    assert ours.execute("select pgqueue.cancel(%s)", [ids["waits"]]).fetchone() == ("cancelled",)


def test_readers_see_ones_own_jobs_without_what_they_carry(company: Company, ids: dict[str, UUID]) -> None:
    for view in ("job", "jobs_shown", "dead_jobs_shown", "attempts_shown"):
        theirs = (
            company.connect("globex_look", "globex")
            .execute(f"select row(t.*)::text from pgqueue.{view} as t")
            .fetchall()
        )
        assert not any("secret-plans" in row[0] for row in theirs), view
        ours = (
            company.connect("acme_look", "acme").execute(f"select row(t.*)::text from pgqueue.{view} as t").fetchall()
        )
        assert any("secret-plans" in row[0] for row in ours), view
        assert not any('"secret"' in row[0] for row in ours), view
    stats = "select queue from pgqueue.queue_stats where queue = 'secret-plans'"
    assert company.connect("globex_look", "globex").execute(stats).fetchall() == []
    with pytest.raises(errors.InsufficientPrivilege, match="may not act for the tenant"):
        company.connect("globex_look", "acme").execute("select from pgqueue.job").fetchall()
    with pytest.raises(errors.InsufficientPrivilege, match="says for none"):
        company.connect("globex_look").execute("select from pgqueue.job").fetchall()


def test_the_fleet_runs_the_jobs_of_all(company: Company) -> None:
    for tenant in ("acme", "globex"):
        tasks.brings.enqueue(company.connect(f"{tenant}_site", tenant), 1)
    worker = ThreadedWorker(company.dsn_of("fleet"), app=["tests.tenants.tasks"], executor="thread", burst=True)
    assert worker.join() == 0
    for tenant in ("acme", "globex"):
        support = company.connect(f"{tenant}_support", tenant)
        done = [row[0] for row in support.execute("select result from pgqueue.results").fetchall()]
        assert [tenant, tenant] in done
        assert tenant in done


def test_a_migration_history_by_days_and_the_switch_leave_them_apart(company: Company, ids: dict[str, UUID]) -> None:
    with psycopg.connect(company.dsn, autocommit=True) as conn:
        conn.execute("comment on schema pgqueue is 'pgqueue, a job queue; functions of 0.0.1, 0123456789abcdef'")
    builder = company.dsn_of("builder")
    assert migrate(builder)
    assert partition_history(builder)
    theirs, ours = company.connect("globex_support", "globex"), company.connect("acme_support", "acme")
    assert theirs.execute("select pgqueue.cancel(%s)", [ids["waits"]]).fetchone() == (None,)
    assert theirs.execute("select from pgqueue.attempts where job_id = %s", [ids["dead"]]).fetchall() == []
    assert len(ours.execute("select from pgqueue.attempts where job_id = %s", [ids["dead"]]).fetchall()) == 1
    assert ours.execute("select pgqueue.cancel(%s)", [ids["waits"]]).fetchone() == ("cancelled",)
    switch_off(builder)
    assert len(theirs.execute("select from pgqueue.job where id = %s", [ids["dead"]]).fetchall()) == 1
    switch_on(builder)
    assert theirs.execute("select from pgqueue.job where id = %s", [ids["dead"]]).fetchall() == []
