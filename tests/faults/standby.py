"""A primary with a standby beside it, on one machine, and what happens to them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from pgqueue.embedded import Server
from tests.postgres import DURABLE, HOST, free_port, started_server
from tests.waiting import wait_until

SETTINGS = {**DURABLE, "wal_level": "replica", "max_wal_senders": "4", "hot_standby": "on"}
NAME = "beside"


class Pair:
    """Two servers; the standby follows the primary until it is promoted."""

    def __init__(self, primary: Server, standby: Server) -> None:
        self.primary = primary
        self.standby = standby

    def dsn(self, dbname: str, *, attrs: str = "read-write", standby_first: bool = False) -> str:
        """Both hosts, as a program names them that follows a failover."""
        servers = [self.standby, self.primary] if standby_first else [self.primary, self.standby]
        hosts, ports = ",".join(HOST for _ in servers), ",".join(str(server.port) for server in servers)
        return f"host={hosts} port={ports} user=postgres dbname={dbname} target_session_attrs={attrs}"

    def commit_on_both(self) -> None:
        """From now on the primary's commits wait for the standby."""
        self.ask(self.primary, f"alter system set synchronous_standby_names = '{NAME}'", "select pg_reload_conf()")
        wait_until(lambda: self.ask(self.primary, "select sync_state from pg_stat_replication") == "sync")

    def commit_alone(self) -> None:
        """From now on the primary's commits wait for nobody."""
        self.ask(self.primary, "alter system set synchronous_standby_names = ''", "select pg_reload_conf()")
        wait_until(lambda: self.ask(self.primary, "select sync_state from pg_stat_replication") == "async")

    def detach(self) -> None:
        """From now on the standby learns of nothing more."""
        self.ask(self.standby, "alter system set primary_conninfo = ''", "select pg_reload_conf()")
        wait_until(lambda: self.ask(self.primary, "select count(*) = 0 from pg_stat_replication"))

    def catch_up(self) -> None:
        """Return when the standby has all that the primary has committed."""
        written = self.ask(self.primary, "select pg_current_wal_lsn()")
        wait_until(lambda: self.ask(self.standby, f"select pg_last_wal_replay_lsn() >= '{written}'"))

    def promote(self) -> None:
        """Make the standby the primary; returns when it can be written to."""
        self.ask(self.standby, "select pg_promote(wait => true)")

    def ask(self, server: Server, *statements: str) -> object:
        """The first value of the last statement, asked of one of the two."""
        with psycopg.connect(server.dsn(tcp=True), autocommit=True) as conn:
            for statement in statements:
                row = conn.execute(statement).fetchone() if statement.startswith("select") else conn.execute(statement)
        return row[0] if isinstance(row, tuple) else None


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """Start a primary and a standby of it below `folder`."""
    primary = started_server(folder / "primary", SETTINGS)
    standby = Server(folder / "standby", bin_dir=primary.bin_dir, host=HOST, settings=SETTINGS)
    try:
        _copy(primary, standby)
        standby.port = free_port()
        standby.start()
        yield Pair(primary, standby)
    finally:
        standby.stop("immediate")
        primary.stop("immediate")


def _copy(primary: Server, standby: Server) -> None:
    standby.folder.mkdir()
    standby.launch.hand_over(standby.folder)
    standby.launch.let_through(standby.folder)
    source = f"host={HOST} port={primary.port} user=postgres application_name={NAME}"
    words = [
        "--pgdata",
        str(standby.data),
        "--write-recovery-conf",
        "--checkpoint=fast",
        "--no-sync",
        "--dbname",
        source,
    ]
    command = [*standby.launch.prefix, str(primary.bin_dir / "pg_basebackup"), *words]
    subprocess.run(command, check=True, cwd="/", stdin=subprocess.DEVNULL)
