"""Two tenants at every other door: Python on each kind of connection, the command line, and its switches."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import errors

import pgqueue
from pgqueue.cli.app import main
from pgqueue.job import NewJob
from pgqueue.tenancy import switch_off, switch_on
from tests.factories import TARGET
from tests.tenants.conftest import Conn, Town


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture
def command(town: Town, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command as a role: `command("acme", "--tenant", "acme", "jobs", "list")`."""

    def command(kind: str, *words: object) -> Ran:
        capsys.readouterr()
        dsn = town.dsn if kind == "owner" else town.dsn_of(kind)
        try:
            main([*map(str, words)], dsn=dsn)
            code: Any = 0
        except SystemExit as end:
            code = end.code or 0
        return Ran(int(code), *capsys.readouterr())

    return command


def test_the_transaction_acts_for_a_tenant_and_the_next_one_does_not(town: Town, acme: Conn) -> None:
    conn = town.connect("shared", autocommit=False)
    with conn.transaction():
        pgqueue.tenant(conn, "acme")
        ours = pgqueue.enqueue(conn, TARGET).id
    theirs = pgqueue.enqueue(conn, TARGET).id
    conn.commit()
    assert pgqueue.get_job(acme, ours).id == ours
    with pytest.raises(pgqueue.JobNotFound):
        pgqueue.get_job(acme, theirs)


def test_async_connections_act_for_a_tenant_too(town: Town, acme: Conn) -> None:
    async def act() -> list[Any]:
        async with await psycopg.AsyncConnection.connect(town.dsn_of("shared")) as conn:
            await pgqueue.tenant(conn, "acme")
            return await pgqueue.enqueue_many(conn, [NewJob(TARGET, [n]) for n in range(200)])

    made = asyncio.run(act())
    assert {row[0] for row in acme.execute("select id from pgqueue.job")} == {*made}


def test_many_jobs_with_headers_are_enqueued_where_the_server_takes_no_copy(acme: Conn) -> None:
    def note(call: pgqueue.Enqueuing) -> None:
        call.headers["note"] = "x"

    pgqueue.on_enqueue(note)
    try:
        pgqueue.enqueue_many(acme, [NewJob(TARGET, [n]) for n in range(150)])
    finally:
        from pgqueue import enqueuing

        enqueuing.forget(note)
    assert acme.execute("select count(headers) from pgqueue.jobs").fetchone() == (150,)


def test_a_tenant_is_acted_for_in_a_transaction_alone(town: Town) -> None:
    with pytest.raises(pgqueue.UsageError, match="none is open"):
        pgqueue.tenant(town.connect("shared"), "acme")


@pytest.mark.parametrize(
    ("name", "fault"), [("", "a tenant is a name"), ("a'b", "a tenant is a name"), (7, "is a text")]
)
def test_what_can_be_no_tenant_is_refused(town: Town, name: Any, fault: str) -> None:
    with pytest.raises(pgqueue.OptionError, match=fault):
        pgqueue.tenant(town.connect("shared", autocommit=False), name)


def test_a_role_may_not_act_for_a_tenant_that_it_is_not_bound_to(town: Town) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="may not act for the tenant 'globex'"):
        pgqueue.tenant(town.connect("acme", autocommit=False), "globex")


def test_python_sees_and_moves_ones_own_jobs_alone(town: Town, acme: Conn, globex: Conn) -> None:
    job = pgqueue.enqueue(acme, TARGET, [1], store_result=True)
    for ask in (pgqueue.get_job, pgqueue.cancel, pgqueue.retry, pgqueue.tree, pgqueue.explain):
        with pytest.raises(pgqueue.JobNotFound):
            ask(globex, job.id)
    assert pgqueue.attempts(globex, job.id) == []
    assert pgqueue.cancel(acme, job.id) == "cancelled"


READING = [
    ("jobs", "list", "--json"),
    ("jobs", "list", "--state", "ready", "--json"),
    ("jobs", "list", "queue=secret-plans", "--json"),
    ("dead", "list", "--json"),
    ("queues", "list", "--json"),
    ("status", "--json"),
    ("schedules", "list", "--json"),
    ("workflows", "list", "--json"),
    ("audit", "list", "--json"),
    ("causes", "list", "--json"),
    ("effects", "list", "--json"),
    ("feeds", "list", "--json"),
    ("operations", "list", "--json"),
    ("manual", "list", "--json"),
    ("alerts", "list", "--json"),
]


@pytest.fixture
def lived_in(town: Town, acme: Conn, worker: Conn) -> str:
    """Acme has a little of all; answers the id of a job of its."""
    job = pgqueue.enqueue(acme, "secret.plans:run", ["top secret"], queue="secret-plans", labels={"who": "secret"}).id
    dead = pgqueue.enqueue(acme, "secret.plans:run", ["top secret"], queue="secret-plans").id
    acme.execute("select pgqueue.bury_waiting(%s, 'buried', null, 'secret reason')", [dead])
    acme.execute("select pgqueue.schedule('secret-schedule', 'secret.plans:run', every => '1 hour')")
    nodes = json.dumps([{"name": "secret", "target": "secret.plans:run", "queue": "secret-plans"}])
    acme.execute("select pgqueue.enqueue_workflow('secret-workflow', %s)", [nodes])
    acme.execute("insert into pgqueue.audit (who, via, action, filter) values ('secret', 'cli', 'cancel', 'secret')")
    acme.execute("select pgqueue.once('secret')")
    worker.execute("select pgqueue.note_depths()")
    return str(job)


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_no_command_that_reads_shows_what_is_another_tenants(
    command: Command, lived_in: str, words: tuple[str, ...]
) -> None:
    theirs = command("globex", "--tenant", "globex", *words)
    assert theirs.code == 0, theirs.err
    assert "secret" not in theirs.out
    assert lived_in not in theirs.out


def test_a_tenants_own_commands_show_its_own(command: Command, lived_in: str) -> None:
    for words in (("jobs", "list"), ("dead", "list"), ("queues", "list"), ("schedules", "list"), ("workflows", "list")):
        ours = command("acme", "--tenant", "acme", *words)
        assert ours.code == 0, ours.err
        assert "secret" in ours.out, words


@pytest.mark.parametrize(
    "words",
    [("show",), ("cancel",), ("retry",), ("attempts",), ("result",), ("logs",), ("explain",), ("tree",)],
    ids=" ".join,
)
def test_no_command_that_is_told_an_id_finds_another_tenants_job(
    command: Command, lived_in: str, town: Town, words: tuple[str, ...]
) -> None:
    before = town.owner.execute("select state from pgqueue.job where id = %s", [lived_in]).fetchone()
    ran = command("globex", "--tenant", "globex", "jobs", *words, lived_in)
    assert ran.code == 4
    assert "secret" not in ran.out + ran.err
    # Nor by the first digits, which tell whether there is one.
    assert command("globex", "--tenant", "globex", "jobs", *words, lived_in[:13]).code == 4
    assert town.owner.execute("select state from pgqueue.job where id = %s", [lived_in]).fetchone() == before


def test_bulk_commands_reach_ones_own_jobs_alone(command: Command, lived_in: str, town: Town, globex: Conn) -> None:
    mine = pgqueue.enqueue(globex, TARGET).id
    ran = command("globex", "--tenant", "globex", "jobs", "cancel", "state=ready", "--yes")
    assert ran.code == 0, ran.err
    assert globex.execute("select state from pgqueue.job where id = %s", [mine]).fetchone() == ("cancelled",)
    assert town.owner.execute("select count(*) from pgqueue.job where state = 'cancelled'").fetchone() == (1,)
    # Whose act it was is seen by the tenant, and by nobody else.
    assert "cancel" in command("globex", "--tenant", "globex", "audit", "list").out
    assert "state=ready" not in command("acme", "--tenant", "acme", "audit", "list").out


def test_enqueue_of_the_shell_is_of_the_tenant_that_the_variable_names(
    command: Command, acme: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGQUEUE_TENANT", "acme")
    ran = command("shared", "enqueue", "a:b")
    assert ran.code == 0, ran.err
    assert str(acme.execute("select id from pgqueue.job").fetchone()[0]) == ran.out.strip()  # type: ignore[index]
    monkeypatch.delenv("PGQUEUE_TENANT")
    assert command("acme", "--tenant", "globex", "enqueue", "a:b").code == 1
    assert "PGQUEUE_TENANT" not in os.environ


def test_who_sees_all_is_told_that_a_tenant_narrows_nothing(command: Command, town: Town) -> None:
    for kind in ("worker", "owner"):
        ran = command(kind, "--tenant", "acme", "jobs", "list")
        assert ran.code == 2
        assert "would narrow nothing" in ran.err


@pytest.mark.parametrize("kind", ["acme", "worker"])
def test_a_job_that_is_run_again_is_its_tenants_and_keeps_its_key(
    command: Command, town: Town, acme: Conn, kind: str
) -> None:
    job = pgqueue.enqueue(acme, "a:b", unique_key="k")
    pgqueue.cancel(acme, job.id)
    said = ("--tenant", "acme") if kind == "acme" else ()
    ran = command(kind, *said, "jobs", "run-again", job.id)
    assert ran.code == 0, ran.err
    again = pgqueue.enqueue(acme, "a:b", unique_key="k")
    assert not again.created
    assert str(again.id) in ran.out
    assert town.owner.execute("select tenant from pgqueue.jobs").fetchall() == [("acme",)]


def test_the_switch_tells_how_it_stands(command: Command, town: Town) -> None:
    shown = json.loads(command("owner", "tenants", "show", "--json").out)
    assert shown["on"] is True
    assert shown["sees_all"] == [town.roles["worker"]]
    assert {"role": town.roles["shared"], "tenant": "*"} in shown["roles"]
    said = command("owner", "tenants", "show").out
    assert f"{town.roles['shared']} acts for any tenant" in said


def test_roles_are_bound_and_unbound_with_a_line_in_the_audit(command: Command, town: Town) -> None:
    role = town.roles["stranger"]
    assert command("owner", "tenants", "bind", role, "initech").out == f"{role} acts for initech\n"
    assert command("owner", "tenants", "bind", role, "initech").out == f"{role} acts for initech already\n"
    conn = town.connect("stranger", "initech")
    assert pgqueue.enqueue(conn, TARGET).created
    assert command("owner", "tenants", "unbind", role, "initech").code == 0
    assert command("owner", "tenants", "unbind", role).code == 4
    with pytest.raises(errors.InsufficientPrivilege):
        pgqueue.enqueue(conn, TARGET)
    assert "tenants bind" in command("owner", "audit", "list").out
    assert command("owner", "tenants", "bind", "nobody_at_all", "initech").code == 2
    assert command("owner", "tenants", "bind", role, "in:itech").code == 2
    for above in (town.roles["worker"], "postgres"):
        ran = command("owner", "tenants", "bind", above, "initech")
        assert (ran.code, "sees the jobs of all tenants" in ran.err) == (2, True)
    assert command("acme", "tenants", "bind", town.roles["acme"], "globex").code != 0


def test_switching_off_and_on_again_loses_nothing(town: Town, acme: Conn, globex: Conn) -> None:
    pgqueue.enqueue(acme, TARGET)
    try:
        switch_off(town.dsn)
        assert len(globex.execute("select from pgqueue.job").fetchall()) == 1
        # Nothing is anybody's while they are off.
        pgqueue.enqueue(globex, TARGET)
        conn = town.connect("shared", autocommit=False)
        with pytest.raises(pgqueue.UsageError, match="tenants are off"):
            pgqueue.tenant(conn, "acme")
        conn.rollback()
    finally:
        assert switch_on(town.dsn, [town.roles["worker"]]) == [town.roles["worker"]]
    assert len(acme.execute("select from pgqueue.job").fetchall()) == 1
    assert globex.execute("select from pgqueue.job").fetchall() == []


def test_only_the_owner_switches_and_for_roles_that_are_there(town: Town) -> None:
    for kind in ("acme", "worker"):
        with pytest.raises((pgqueue.UsageError, errors.InsufficientPrivilege)):
            switch_off(town.dsn_of(kind))
    with pytest.raises(pgqueue.UsageError, match="there is no role nobody_at_all"):
        switch_on(town.dsn, ["nobody_at_all"])
