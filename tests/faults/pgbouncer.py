"""A PgBouncer of the tests' own, in front of one server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from pgqueue.embedded import Server
from tests.postgres import HOST, free_port
from tests.waiting import wait_until

# Debian installs it where ordinary users do not look.
PLACES = f"/usr/sbin:/usr/local/sbin:{Path.home()}/.local/bin"
CONFIG = """\
[databases]
* = host={host} port={server}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
logfile = {folder}/pgbouncer.log
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 200
server_reset_query =
"""


def program() -> str:
    """Where PgBouncer is; `make test-faults` installs it."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path=PLACES)
    assert found, "these tests need pgbouncer; install it: apt-get install pgbouncer, or brew install pgbouncer"
    return found


@contextmanager
def pgbouncer(
    server: Server, folder: Path, *, mode: str = "transaction", size: int = 2, port: int = 0
) -> Iterator[int]:
    """Run PgBouncer in front of a server; answers its port."""
    folder.mkdir()
    server.launch.hand_over(folder)
    server.launch.let_through(folder)
    port = port or free_port()
    config = folder / "pgbouncer.ini"
    config.write_text(CONFIG.format(host=HOST, server=server.port, port=port, folder=folder, mode=mode, size=size))
    (folder / "users.txt").write_text('"postgres" ""\n')
    command = [*server.launch.prefix, program(), "--quiet", str(config)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/") as process:
        try:
            wait_until(lambda: process.poll() is not None or _accepts(port), 20, "PgBouncer's start")
            assert process.poll() is None, (folder / "pgbouncer.log").read_text()
            yield port
        finally:
            process.terminate()


def _accepts(port: int) -> bool:
    try:
        psycopg.connect(host=HOST, port=port, user="postgres", dbname="postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
