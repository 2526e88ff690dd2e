"""How a worker says that it is well: to whoever asks over HTTP, and to systemd."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgqueue.errors import OptionError
from pgqueue.events import WorkerStarted, WorkerStopping
from pgqueue.small_server import MOST_CLIENTS, PATIENCE
from pgqueue.worker import Worker
from pgqueue.worker.supervision.health import Health, Phase, not_live, not_ready
from pgqueue.worker.supervision.probes import Probes
from pgqueue.worker.supervision.systemd import Systemd
from tests.waiting import wait_until
from tests.worker.running import StartThreaded

WELL = Health(
    worker=1,
    phase=Phase.WORKING,
    lease_left=20.0,
    answered=True,
    silent=0.1,
    claimer_silent=1.0,
    heartbeat_silent=1.0,
    longest_turn=30.0,
    jobs=0,
    outbox=0,
)


def test_a_worker_that_works_is_live_and_ready() -> None:
    assert (not_live(WELL), not_ready(WELL)) == ([], [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"phase": Phase.STARTING}, "it is starting"),
        ({"phase": Phase.QUIET}, "it is quiet"),
        ({"phase": Phase.STOPPING}, "it is stopping"),
        ({"phase": Phase.WAITING, "answered": False}, "it is waiting for the database"),
        ({"answered": False}, "the database does not answer"),
        ({"lease_left": -1.0}, "its lease is gone"),
        ({"refused": "denied (42501)"}, "its claims, or the outcomes of jobs, are refused: denied (42501)"),
        ({"waited": 7.0}, "a claim has not been answered for 7 s"),
    ],
)
def test_one_that_takes_no_work_is_live_and_not_ready(changes: dict[str, object], reason: str) -> None:
    health = dataclasses.replace(WELL, **changes)  # type: ignore[arg-type]
    assert (not_live(health), not_ready(health)) == ([], [reason])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"claimer_silent": 31.0}, "the claim loop has not turned for 31 s"),
        ({"heartbeat_silent": 31.0}, "the heartbeat has not turned for 31 s"),
        ({"silent": 61.0}, "the main thread has not looked for 61 s"),
    ],
)
def test_one_whose_threads_hang_is_not_live(changes: dict[str, object], reason: str) -> None:
    health = dataclasses.replace(WELL, **changes)  # type: ignore[arg-type]
    assert not_live(health) == [reason]
    assert reason in not_ready(health)


class Asked:
    """A door that answers with the health it is given."""

    def __init__(self) -> None:
        self.health = WELL
        self.probes = Probes("127.0.0.1", 0, lambda: self.health)
        self.probes.start()

    def get(self, path: str, accept: str = "*/*") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.probes.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Accept": accept})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture
def asked() -> Iterator[Asked]:
    asked = Asked()
    yield asked
    asked.probes.stop()


def test_probes_answer_200_to_one_that_is_well(asked: Asked) -> None:
    assert asked.get("/live") == (200, "live\n")
    assert asked.get("/ready?verbose") == (200, "ready\n")


def test_probes_answer_503_with_the_reasons(asked: Asked) -> None:
    asked.health = dataclasses.replace(WELL, claimer_silent=40.0, phase=Phase.QUIET)
    hangs = "the claim loop has not turned for 40 s"
    assert asked.get("/live") == (503, f"not live\n{hangs}\n")
    status, text = asked.get("/ready", "application/json")
    assert (status, json.loads(text)) == (503, {"ready": False, "reasons": [hangs, "it is quiet"]})


def test_probes_tell_all_there_is_to_say(asked: Asked) -> None:
    status, text = asked.get("/")
    told = json.loads(text)
    assert status == 200
    assert (told["live"], told["ready"], told["phase"], told["jobs"]) == (True, True, "working", 0)


@pytest.mark.faults
def test_clients_that_say_nothing_take_no_more_than_a_few_descriptors(asked: Asked) -> None:
    """Not even while they come by hundreds; and whoever does ask is answered."""
    with contextlib.ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", asked.probes.port), timeout=10))
            for _ in range(200)
        ]

        def answered() -> bool:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return asked.get("/live") == (200, "live\n")
            return False

        wait_until(answered)
        wait_until(lambda: sum(not _is_open(each) for each in silent) >= 200 - MOST_CLIENTS)
        # One that says something, but slowly, is not waited for either.
        slow = stack.enter_context(socket.create_connection(("127.0.0.1", asked.probes.port), timeout=10))

        def hung_up() -> bool:
            with contextlib.suppress(OSError):
                slow.sendall(b"G")
            return not _is_open(slow)

        wait_until(hung_up, PATIENCE + 5)


def _is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def test_a_probe_of_something_else_is_told_what_there_is(asked: Asked) -> None:
    assert asked.get("/health") == (404, "no /health here; ask for /live, /ready, /metrics or /\n")


def test_a_worker_is_ready_when_it_works_and_lets_go_of_its_port_when_it_ends(start: StartThreaded) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    worker = start(executor="thread", health_port=port)

    def status() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status
        except ConnectionError:
            return 0
        finally:
            connection.close()

    wait_until(lambda: status() == 200)
    worker.stop()
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_port_that_is_taken_is_refused_before_the_start(dsn: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OptionError, match=f"health_port {port} on 127.0.0.1 cannot be listened on"):
            Worker(dsn, executor="thread", health_port=port, observers=[]).run()


class Manager:
    """A socket as systemd has one."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(10)
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"}

    def hear(self) -> list[str]:
        return self.socket.recv(4096).decode().split("\n")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.socket.close()


def test_systemd_hears_ready_watchdog_and_stopping(manager: Manager) -> None:
    systemd = Systemd(lambda: WELL, manager.environment)
    systemd(WorkerStarted(1, [], "thread", 1))
    assert manager.hear() == ["READY=1", "STATUS=working, 0 jobs at hand"]
    systemd.start()
    assert manager.hear() == ["WATCHDOG=1", "STATUS=working, 0 jobs at hand"]
    systemd.stop()
    systemd(WorkerStopping(1, "SIGTERM"))
    while (heard := manager.hear())[0] == "WATCHDOG=1":
        continue
    assert heard == ["STOPPING=1", "STATUS=stopping: SIGTERM"]


def test_systemd_is_not_told_that_a_worker_lives_whose_claim_loop_hangs(manager: Manager) -> None:
    systemd = Systemd(lambda: dataclasses.replace(WELL, claimer_silent=99.0), manager.environment)
    systemd.start()
    assert manager.hear() == ["STATUS=the claim loop has not turned for 99 s"]
    systemd.stop()


def test_systemd_is_told_so_while_the_database_is_away(manager: Manager) -> None:
    systemd = Systemd(lambda: dataclasses.replace(WELL, answered=False), manager.environment)
    systemd.start()
    assert manager.hear() == ["WATCHDOG=1", "STATUS=the database does not answer"]
    systemd.stop()


def test_a_worker_says_ready_and_stopping_where_systemd_listens(
    start: StartThreaded, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in manager.environment.items():
        monkeypatch.setenv(name, value)
    worker = start(executor="thread")
    # A start that takes long has said before that it lives.
    while (heard := manager.hear())[0] == "WATCHDOG=1":
        continue
    assert heard[0] == "READY=1"
    worker.stop()
    while (heard := manager.hear())[0] != "STOPPING=1":
        continue
    assert heard[1] == "STATUS=stopping: stop() was called"
