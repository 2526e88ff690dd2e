"""The scratch database: made for one run and dropped after it, on an embedded server of its own or on the user's."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgqueue import embedded
from pgqueue.embedded import Server
from pgqueue.errors import EmbeddedError, UsageError
from pgqueue.migrate import migrate
from pgqueue.store.connection import open_connection
from pgqueue.verify.guard import SERVER
from pgqueue.verify.proxy import Address
from pgqueue.verify.serverlog import LOG_SETTINGS

Conn = psycopg.Connection[Any]

SETTINGS = {"shared_buffers": "32MB", "max_connections": "200", **LOG_SETTINGS}
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Scratch:
    """The database `name`: its DSN, where its server listens, and the server itself if it is the verifier's own."""

    name: str
    dsn: str = field(repr=False)
    address: Address
    password: str = field(repr=False)
    server: Server | None

    def through(self, port: int) -> str:
        """The DSN by way of a proxy on this port: all but the place to connect to is the same."""
        host = self.address.host if not self.address.host.startswith(("/", "@")) else "localhost"
        words: dict[str, Any] = {"host": host, "hostaddr": HOST, "port": port, "gssencmode": "disable"}
        if self.password:
            words["password"] = self.password
        return make_conninfo(self.dsn, **words)


@contextmanager
def scratch(dsn: str | None, folder: Path, lease: float, *, keep: bool) -> Iterator[Scratch]:
    """A fresh database with pgqueue's schema and the ledger, dropped in the end unless `keep`.

    `dsn` names a server on which a database may be created; None starts one of its own in `folder`.
    """
    if dsn is None:
        with _own_server(folder / SERVER) as server, _database(server.dsn(tcp=True), server, lease) as made:
            yield made
    elif embedded.is_embedded(dsn):
        with embedded.open(dsn) as database, _database(database.dsn, None, lease, drop=not keep) as made:
            yield made
    else:
        with _database(dsn, None, lease, drop=not keep) as made:
            yield made


@contextmanager
def _own_server(folder: Path) -> Iterator[Server]:
    server = Server(folder, host=HOST, settings=SETTINGS)
    server.initdb(sync=False)
    try:
        for remaining in range(4, -1, -1):
            server.port = _free_port()
            try:
                server.start()
                break
            except EmbeddedError as error:
                # Somebody else may take the port between our looking and PostgreSQL's.
                if "could not create any TCP/IP sockets" not in str(error) or not remaining:
                    raise
        yield server
    finally:
        if server.pid is not None:
            server.stop("fast")


@contextmanager
def _database(dsn: str, server: Server | None, lease: float, *, drop: bool = False) -> Iterator[Scratch]:
    name = f"pgqueue_verify_{secrets.token_hex(4)}"
    with open_connection(dsn, "verify") as conn:
        try:
            conn.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise UsageError(
                f"the role {conn.info.user} may not create a database of its own on this server; grant it CREATEDB,"
                " or leave --dsn out"
            ) from error
        info = conn.info
        made = Scratch(
            name, make_conninfo(dsn, dbname=name), Address(info.host, info.port), info.password or "", server
        )
    try:
        migrate(made.dsn)
        with open_connection(made.dsn, "verify") as conn:
            conn.execute((files("pgqueue.verify") / "ledger.sql").read_text())
            conn.execute("insert into verify.run values (make_interval(secs => %s))", [lease])
            listen_to_judgements(conn)
        yield made
    finally:
        if drop:
            with open_connection(dsn, "verify") as conn:
                conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def listen_to_judgements(conn: Conn) -> None:
    """Note each settlement that did not find its job: pgqueue.record_late judges them, and leaves no trace of those
    that it acknowledges. It is wrapped, and otherwise as it was.
    """
    row = conn.execute(
        "select pg_get_function_arguments(oid), pg_get_function_identity_arguments(oid), proargnames"
        " from pg_proc where oid = 'pgqueue.record_late'::regproc"
    ).fetchone()
    assert row is not None
    arguments, types, names = row
    conn.execute(f"alter function pgqueue.record_late({types}) rename to record_late_unheard")
    conn.execute(f"""
        create function pgqueue.record_late({arguments}) returns uuid[]
        language plpgsql
        as $$
        declare
          _late constant uuid[] := pgqueue.record_late_unheard({", ".join(names)});
        begin
          insert into verify.judged (job_id, late, outcome, ran)
          select told.id, told.id = any (_late), _outcome, exists (
              select from pgqueue.jobs as job
              where job.id = told.id and job.claim > told.claim and job.worker is not null)
          from unnest(_ids, _claims) as told (id, claim) where told.id <> all (_settled);
          return _late;
        end $$
    """)


def deadlocks(conn: Conn) -> int:
    """How many deadlocks the statistics of the database know."""
    (count,) = conn.execute("select deadlocks from pg_stat_database where datname = current_database()").fetchone() or (
        0,
    )
    return int(count)


def plain_name(dsn: str | None) -> str:
    """The server as people know it, without a password."""
    if dsn is None:
        return "an embedded server of its own"
    if embedded.is_embedded(dsn):
        return f"the embedded server {re.sub('^embedded:', '', dsn) or 'of this user'}"
    with suppress(psycopg.ProgrammingError):
        given = conninfo_to_dict(dsn)
        return f"{given.get('host', 'the local server')}:{given.get('port', 5432)}"
    return "the server named"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
