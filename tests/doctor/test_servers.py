"""What is wrong with a server, or on the way to it, is found, and gone after the cure was executed."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgqueue.doctor import Bounds, wire
from pgqueue.doctor.patient import Patient
from pgqueue.embedded import Server
from pgqueue.migrate import migrate
from pgqueue.store.connection import open_connection
from tests.conftest import Connect
from tests.doctor.conftest import Examine, cure
from tests.factories import Conn
from tests.waiting import wait_until


def test_the_server_says_its_version(examine: Examine) -> None:
    found = examine("server")
    assert found.status == "ok"
    assert found.text.startswith("PostgreSQL ")


def test_a_database_that_only_reads_takes_writes_after_the_cure(db: Conn, database: str, examine: Examine) -> None:
    db.execute(sql.SQL("alter database {} set default_transaction_read_only = on").format(sql.Identifier(database)))
    found = examine("server")
    assert (found.status, found.text.endswith("; sessions begin read-only")) == ("FAIL", True)
    db.execute("set default_transaction_read_only = off")
    cure(db, found)
    assert examine("server").status == "ok"


def test_a_setting_of_the_database_is_taken_back_by_the_cure(db: Conn, database: str, examine: Examine) -> None:
    db.execute(sql.SQL("alter database {} set synchronous_commit = off").format(sql.Identifier(database)))
    db.execute(sql.SQL("alter database {} set session_replication_role = replica").format(sql.Identifier(database)))
    found = examine("settings")
    assert found.status == "FAIL"
    assert "session_replication_role is replica: triggers do not run" in found.text
    assert f"alter database {database} reset synchronous_commit;" in found.sql
    for statement in found.sql:
        if statement.startswith("alter database"):
            db.execute(statement.encode())
    assert "session_replication_role" not in examine("settings").text
    assert "synchronous_commit" not in examine("settings").text


@pytest.mark.faults
def test_a_server_that_is_not_durable_is_after_the_cure(private_server: Server, examine: Examine) -> None:
    dsn = private_server.dsn(tcp=True)
    migrate(dsn)
    assert [examine(name, dsn).status for name in ("settings", "autovacuum", "tls")] == ["ok"] * 3
    with psycopg.connect(dsn, autocommit=True) as conn:
        for setting in ("fsync", "autovacuum"):
            conn.execute(f"alter system set {setting} = off".encode())
        conn.execute("select pg_reload_conf()")
        wait_until(lambda: examine("settings", dsn).status == "FAIL")
        assert (
            examine("settings", dsn).text == "fsync is off: a crash of the machine loses or damages what was committed"
        )
        assert examine("autovacuum", dsn).text == "autovacuum is off on the whole server"
        for check in ("settings", "autovacuum"):
            for statement in examine(check, dsn).sql:
                for part in filter(None, map(str.strip, statement.split(";"))):
                    conn.execute(part.encode())
        wait_until(lambda: [examine(name, dsn).status for name in ("settings", "autovacuum")] == ["ok"] * 2)
        assert examine("connections", dsn).status == "ok"
        held = [psycopg.connect(dsn) for _ in range(46)]
        found = examine("connections", dsn)
        assert found.status == "warn"
        assert (
            found.cure
            == "alter system set max_connections = 114;  -- and a restart; or a pooler before the applications"
        )
        for each in held:
            each.close()
        wait_until(lambda: examine("connections", dsn).status == "ok")
        conn.execute("alter system set max_connections = 40")
        private_server.stop("fast")
        private_server.start()
        assert examine("connections", dsn, connections=0.01).status == "warn"


def test_a_notification_makes_its_round_trip(examine: Examine) -> None:
    found = examine("listen")
    assert (found.status, "no pooler between" in found.text) == ("ok", True)
    assert examine("prepared").status == "ok"


def test_a_clock_that_is_wrong_is_told(dsn: str, examine: Examine) -> None:
    assert examine("clock").status == "ok"
    with closing(open_connection(dsn, "doctor")) as conn:
        patient = Patient(conn, dsn, Bounds())
        assert wire.clock(patient, lambda: time.time() + 5).status == "warn"
        found = wire.clock(patient, lambda: time.time() - 3600)
        assert found.status == "FAIL"
        assert found.text.startswith("this host's clock is 3600.0 s behind the database's")


def test_a_listener_in_a_transaction_keeps_notifications_until_it_is_ended(
    db: Conn, connect: Connect, examine: Examine
) -> None:
    assert examine("notify_queue", notify_queue=0.0).status == "ok"
    listener = connect(application_name="psql")
    listener.execute("listen here")
    listener.commit()
    listener.execute("select 1")
    for _ in range(10):
        db.execute("select count(pg_notify('here', repeat('x', 7000) || n)) from generate_series(1, 100) as n")
    found = examine("notify_queue", notify_queue=0.0)
    assert (found.status, found.cure) == ("warn", f"select pg_terminate_backend({listener.info.backend_pid});")
    assert "(postgres, psql, idle in transaction)" in found.text
    cure(db, found)
    wait_until(lambda: _told(db) and examine("notify_queue", notify_queue=0.0).status == "ok")


def _told(db: Conn) -> bool:
    db.execute("select pg_notify('here', '')")
    return True


def test_a_table_that_is_locked_is_unknown_and_the_others_go_on(connect: Connect, examine: Examine, dsn: str) -> None:
    with connect() as holder:
        holder.execute("lock table pgqueue.workers in access exclusive mode")
        assert examine("leases").status == "unknown"
        assert examine("args_size").status == "ok"


def test_a_check_that_breaks_does_not_end_the_others(dsn: str) -> None:
    from pgqueue.doctor import CHECKS, diagnose
    from pgqueue.doctor.checks import Check

    def breaking(patient: Patient) -> Any:
        raise ValueError("by itself")

    def ending(patient: Patient) -> Any:
        """Its own session goes away."""
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("select pg_terminate_backend(%s)", [patient.conn.info.backend_pid])
        return patient.ask("server")

    last = next(check for check in CHECKS if check.name == "oldest")
    found = list(diagnose(dsn, [Check("breaking", breaking), Check("ending", ending), last]))
    assert [each.status for each in found] == ["unknown", "unknown", "ok"]
    assert found[0].text == "could not be asked: ValueError: by itself"


@pytest.mark.faults
def test_a_pooler_is_found(
    server: Server, database: str, servers_folder: Any, examine: Examine, tmp_path_factory: Any
) -> None:
    from tests.faults.pgbouncer import pgbouncer

    folder = servers_folder / tmp_path_factory.mktemp("pooler").name
    with pgbouncer(server, folder) as port:
        pooled = psycopg.conninfo.make_conninfo(server.dsn(database, tcp=True), port=port)
        found = examine("listen", pooled)
        assert found.status == "warn"
        assert found.text.startswith("a pooler in transaction mode stands between")
        found = examine("prepared", pooled)
        # Of 1.21 and later it depends on max_prepared_statements.
        assert {"warn": "a pooler loses", "ok": "a pooler stands between"}[found.status] in found.text
        assert examine("schema", pooled).status == "ok"
        assert examine("head", pooled).status == "ok"
