"""Who did what by hand is written down whatever the door, by the database itself, and nobody writes it anew."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import pgqueue
from pgqueue.migrate import migrate
from tests import factories
from tests.cli.conftest import Command
from tests.postgres import ROOT
from tests.roles.conftest import Staffed
from tests.security.acts import ACTS, OF_THE_OWNER
from tests.security.every_command import every_command

Conn = psycopg.Connection[Any]
# Looks at things, or adds what tells of itself: a job, a feed; or acts on what is in no database.
NO_ACTS = {
    *("enqueue", "feed", "status", "at", "doctor", "tasks list", "tasks timings", "steps", "audit list"),
    *(f"jobs {what}" for what in ("list", "show", "attempts", "logs", "tree", "watch", "result", "explain")),
    *("dead list", "dead show", "manual list", "manual show", "causes list", "causes show"),
    *("workflows list", "workflows show", "workflows graph"),
    *("queues list", "queues show", "queues explain", "queues whatif", "limits list", "limits show"),
    *("routes list", "routes test", "workers list", "workers show"),
    *("schedules next", "schedules list", "schedules show", "schedules history"),
    *("feeds list", "feeds show", "effects list", "effects show", "alerts list", "alerts show"),
    *("alerts channels list", "alerts rules list", "operations list", "operations show", "index list"),
    *("keys new", "keys list", "keys status", "roles show", "tenants show"),
}
# Where else it is tried that they are written down.
ELSEWHERE = {
    "import": "tests/importing/test_importing.py",
    "migrate": "tests/security/test_audit.py",
    "keys rotate": "tests/encryption/test_commands.py",
    "jobs sign": "tests/cli/test_signing.py",
    "erase": "tests/cli/test_erase.py",
    **{f"tenants {what}": "tests/tenants/test_doors.py" for what in ("on", "off", "bind", "unbind")},
}


@pytest.fixture
def owner(staffed: Staffed) -> Conn:
    """The superuser's connection, with an audit that it empties."""
    staffed.conn.execute("truncate pgqueue.audit")
    return staffed.conn


def acts(conn: Conn) -> list[tuple[Any, ...]]:
    return conn.execute("select role, who, via, action, n from pgqueue.audit order by id").fetchall()


def test_every_command_either_acts_or_does_not() -> None:
    """A new one is to stand in tests/security/acts.py, or in NO_ACTS."""
    known = {*ACTS, *NO_ACTS, *ELSEWHERE}
    unknown = [words for words in every_command() if not any(" ".join(words[:n]) in known for n in (1, 2, 3))]
    assert unknown == []
    assert [file for file in ELSEWHERE.values() if "audit" not in (ROOT / file).read_text()] == []


@pytest.mark.parametrize("name", ACTS)
def test_every_act_is_written_down_with_the_role_that_did_it(
    command: Command,
    staffed: Staffed,
    owner: Conn,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    make, words = ACTS[name]
    made = make(owner)
    owner.execute("truncate pgqueue.audit")
    dsn = staffed.dsn if name in OF_THE_OWNER else staffed.logins["admin"]
    monkeypatch.setenv("PGQUEUE_DSN", dsn)
    monkeypatch.setenv("PGQUEUE_WHO", "ann")
    ran = command(*name.split(), *(made if word == "{}" else word for word in words))
    # No worker is here to answer.
    assert ran.code == 0 or name in ("alerts test", "workers dump"), ran.err
    found = acts(owner)
    assert found, "nothing is written down"
    login = conninfo_to_dict(dsn)["user"]
    assert found[0][:3] == (login, "ann", "cli")
    # What takes many transactions is noted by the functions, too, batch by batch.
    assert {row[:3] for row in found[1:]} <= {(login, "ann", "cli"), (login, login, "sql")}
    if name in ("jobs purge", "dead retry", "dead purge"):
        # Of many: how many it were.
        assert found[-1][3].endswith(": done")
        assert found[-1][4] >= 1


CALLS = [
    ("select pgqueue.cancel({job})", "jobs cancel", True),
    ("select pgqueue.retry({dead})", "jobs retry", True),
    ("select pgqueue.set_priority({job}, 9::smallint)", "jobs priority 9", True),
    ("select from pgqueue.operate(array[{dead}], 'purge', '{{dead}}', null, null)", "jobs purge", True),
    ("select pgqueue.pause_queue('mail')", "queues pause", False),
    ("select pgqueue.resume_queue('mail')", "queues resume", False),
    ("select pgqueue.run_schedule('none')", "schedules run", False),
    ("select from pgqueue.retry_dead(null, null, null, 9)", "dead retry", False),
    ("select pgqueue.cancel_workflow({job})", "workflows cancel", False),
]


@pytest.mark.parametrize(("call", "action", "names_job"), CALLS)
def test_an_operator_who_calls_a_function_is_written_down_by_it(
    staffed: Staffed,
    owner: Conn,
    call: str,
    action: str,
    names_job: bool,
) -> None:
    job, dead = factories.enqueue(owner, queue="held"), factories.make(owner, pgqueue.JobState.DEAD)
    owner.execute("truncate pgqueue.audit")
    said = call.format(job=f"'{job}'::uuid", dead=f"'{dead}'::uuid")
    with staffed.connect("operator") as conn:
        conn.execute(said.encode())
    login = conninfo_to_dict(staffed.logins["operator"])["user"]
    found = owner.execute("select role, who, via, action, job_ids from pgqueue.audit").fetchall()
    meant = dead if "{dead}" in call else job
    assert found == [(login, login, "sql", action, [meant] if names_job else None)]


def test_a_worker_and_an_owner_who_call_it_are_not(staffed: Staffed, owner: Conn) -> None:
    job = factories.enqueue(owner, queue="held")
    owner.execute("select pgqueue.cancel(%s)", [job])
    with staffed.connect("worker") as conn:
        conn.execute("select pgqueue.pause_queue('mail'), pgqueue.resume_queue('mail')")
    assert acts(owner) == []


def test_an_act_of_the_command_line_is_written_down_once(
    command: Command,
    staffed: Staffed,
    owner: Conn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = factories.enqueue(owner, queue="held")
    monkeypatch.setenv("PGQUEUE_DSN", staffed.logins["operator"])
    assert command("jobs", "cancel", job, "--reason", "not wanted").code == 0
    assert [action for _, _, _, action, _ in acts(owner)] == ["jobs cancel"]


def test_what_was_said_of_another_job_does_not_cover_it(staffed: Staffed, owner: Conn) -> None:
    first, second = (factories.enqueue(owner, queue="held") for _ in range(2))
    owner.execute("truncate pgqueue.audit")
    with staffed.connect("operator") as conn, conn.transaction():
        conn.execute(
            "insert into pgqueue.audit (who, via, action, job_ids) values ('x', 'cli', 'jobs show', array[%s::uuid])",
            [first],
        )
        conn.execute("select pgqueue.cancel(%s)", [second])
    assert [action for _, _, _, action, _ in acts(owner)] == ["jobs show", "jobs cancel"]


@pytest.mark.parametrize("part", ["operator", "worker", "admin"])
def test_nobody_acts_in_the_name_of_another_role_or_at_another_time(
    staffed: Staffed,
    owner: Conn,
    part: str,
) -> None:
    with staffed.connect(part) as conn:
        conn.execute(
            "insert into pgqueue.audit (at, who, via, action, role)"
            " values ('2001-01-01', 'ann', 'cli', 'x', 'postgres')"
        )
    found = owner.execute("select role, at > now() - interval '1 minute' from pgqueue.audit").fetchall()
    assert found == [(conninfo_to_dict(staffed.logins[part])["user"], True)]


@pytest.mark.parametrize("part", ["producer", "operator", "reader", "worker", "admin"])
@pytest.mark.parametrize(
    "statement",
    ["update pgqueue.audit set who = 'ann'", "delete from pgqueue.audit", "truncate pgqueue.audit"],
)
def test_nobody_but_the_owner_rewrites_it(staffed: Staffed, owner: Conn, part: str, statement: str) -> None:
    owner.execute("insert into pgqueue.audit (who, via, action) values ('bob', 'cli', 'jobs cancel')")
    with staffed.connect(part) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement.encode())
    assert owner.execute("select who from pgqueue.audit").fetchall() == [("bob",)]


def test_a_worker_prunes_what_is_old_and_nothing_else(staffed: Staffed, owner: Conn) -> None:
    for days in (181, 31, 29):
        owner.execute(
            "insert into pgqueue.audit (at, who, via, action)"
            " values (now() - make_interval(days => %s), 'x', 'cli', %s)",
            [days, str(days)],
        )
    with staffed.connect("worker") as conn:
        conn.execute("select pgqueue.prune('7 days', '180 days')")
        assert [row[3] for row in acts(owner)] == ["31", "29"]
        conn.execute("select pgqueue.prune('7 days', '1 day')")
    assert [row[3] for row in acts(owner)] == ["29"]


def test_a_migration_is_written_down(staffed: Staffed, owner: Conn) -> None:
    owner.execute("comment on schema pgqueue is 'functions of another release'")
    assert migrate(staffed.logins["migrator"])
    ((role, who, via, action, _),) = acts(owner)
    login = conninfo_to_dict(staffed.logins["migrator"])["user"]
    assert (role, who, via, action) == (f"{login} as {staffed.role('migrator')}", login, "migrate", "migrate")
