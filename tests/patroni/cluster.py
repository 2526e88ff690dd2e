"""etcd and two nodes of Patroni on this machine: Debian's packages, in a folder of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from pgqueue.embedded import Server, pidfile
from tests.postgres import HOST, free_port
from tests.waiting import wait_until

# As soon as Patroni allows: a leader is missed for `ttl` seconds before another one takes its place.
TTL, LOOP_WAIT, RETRY_TIMEOUT = 20, 1, 3
TRUST = ["local all all trust", f"host all all {HOST}/32 trust", f"host replication all {HOST}/32 trust"]


def program(name: str) -> str:
    """Where a program is; `make test-adopt` installs it."""
    found = shutil.which(name)
    assert found, f"this test needs {name}; install it: apt-get install etcd-server patroni"
    return found


class Node:
    """Patroni and the PostgreSQL that it keeps."""

    def __init__(self, name: str, folder: Path, server: Server, etcd: int) -> None:
        self.name = name
        self.port, self._rest = free_port(), free_port()
        self.data = folder / name
        self._folder, self._launch = folder, server.launch
        self._config = folder / f"{name}.yml"
        self._config.write_text(yaml.safe_dump(self._settings(server, etcd)))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start Patroni, which starts PostgreSQL."""
        with (self._folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._launch.prefix, program("patroni"), str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**os.environ, "HOME": str(self._folder)},
            )

    def kill(self) -> None:
        """SIGKILL to Patroni and to its PostgreSQL: the machine is gone."""
        postmaster = pidfile.postmaster_of(self.data)
        assert self._process is not None
        self._process.kill()
        if postmaster is not None:
            with suppress(ProcessLookupError):
                os.kill(postmaster, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End both, in whatever state they are."""
        if self._process is not None:
            self.kill()

    def is_running(self) -> bool:
        """Whether Patroni runs, and PostgreSQL answers it."""
        return self._told().get("state") == "running"

    def is_leader(self) -> bool:
        """Whether it is the primary, with the leader's lock."""
        return self._told().get("role") in ("master", "primary")

    def follows_in_sync(self) -> bool:
        """Whether it is the standby for which commits wait."""
        return bool(self._told().get("sync_standby"))

    def _told(self) -> dict[str, object]:
        with (
            suppress(OSError, ValueError),
            urllib.request.urlopen(f"http://{HOST}:{self._rest}/patroni", timeout=2) as said,
        ):
            told: dict[str, object] = json.load(said)
            return told
        return {}

    def _settings(self, server: Server, etcd: int) -> dict[str, object]:
        return {
            "scope": "pgqueue",
            "name": self.name,
            "restapi": {"listen": f"{HOST}:{self._rest}", "connect_address": f"{HOST}:{self._rest}"},
            "etcd3": {"host": f"{HOST}:{etcd}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": LOOP_WAIT,
                    "retry_timeout": RETRY_TIMEOUT,
                    # What was acknowledged is on both: a failover loses nothing.
                    "synchronous_mode": True,
                    "postgresql": {"parameters": {"shared_buffers": "32MB", "max_connections": 60}},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}],
            },
            "postgresql": {
                "listen": f"{HOST}:{self.port}",
                "connect_address": f"{HOST}:{self.port}",
                "data_dir": str(self.data),
                "bin_dir": str(server.bin_dir),
                "pgpass": str(self._folder / f"{self.name}.pgpass"),
                "authentication": {
                    "superuser": {"username": "postgres", "password": "none"},
                    "replication": {"username": "replicator", "password": "none"},
                },
                "parameters": {"unix_socket_directories": str(self._folder)},
                "pg_hba": TRUST,
            },
        }


class Cluster:
    """The nodes; one of them is the leader."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes

    @property
    def leader(self) -> Node | None:
        """The primary, if there is one."""
        return next((node for node in self.nodes if node.is_leader()), None)

    def dsn(self, dbname: str) -> str:
        """All nodes, as a program names them that follows a failover."""
        hosts, ports = ",".join(HOST for _ in self.nodes), ",".join(str(node.port) for node in self.nodes)
        return f"host={hosts} port={ports} user=postgres dbname={dbname} target_session_attrs=read-write"


@contextmanager
def patroni(folder: Path, server: Server) -> Iterator[Cluster]:
    """Run etcd and two nodes below `folder`, until the second follows in sync; `server` lends how PostgreSQL is run."""
    folder.mkdir(mode=0o711)
    server.launch.hand_over(folder)
    server.launch.let_through(folder)
    with _etcd(folder) as port:
        nodes = [Node(name, folder, server, port) for name in ("one", "two")]
        try:
            nodes[0].start()
            wait_until(nodes[0].is_leader, 60, f"the first leader; see {folder}/one.log")
            nodes[1].start()
            wait_until(nodes[1].follows_in_sync, 60, f"the second node in sync; see {folder}/two.log")
            yield Cluster(nodes)
        finally:
            for node in nodes:
                node.close()


@contextmanager
def _etcd(folder: Path) -> Iterator[int]:
    client, peer = free_port(), free_port()
    urls = f"http://{HOST}:{client}"
    command = [
        *(program("etcd"), "--name", "only", "--data-dir", str(folder / "etcd")),
        *("--listen-client-urls", urls, "--advertise-client-urls", urls),
        *("--listen-peer-urls", f"http://{HOST}:{peer}", "--initial-advertise-peer-urls", f"http://{HOST}:{peer}"),
        *("--initial-cluster", f"only=http://{HOST}:{peer}"),
    ]
    with (folder / "etcd.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
    try:
        wait_until(lambda: process.poll() is not None or _answers(urls), 20, "etcd's start")
        assert process.poll() is None, (folder / "etcd.log").read_text()
        yield client
    finally:
        process.kill()
        process.wait()


def _answers(urls: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{urls}/health", timeout=1) as said:
        return bool(said.status == 200)
    return False
