"""`pgqueue dashboard`: serves at the machine itself, ends well, and opens to others only with an auth."""

from __future__ import annotations

import signal
import socket
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from pgqueue.dashboard import hash_password
from tests.cli.conftest import Command, Start
from tests.dashboard.serving import fetch
from tests.waiting import wait_until


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def test_it_serves_below_a_prefix_and_ends_well_on_term_while_somebody_looks(start: Start) -> None:
    from tests.dashboard.serving import Events

    port = free_port()
    process = start("dashboard", "--port", port, "--root-path", "/ops/queue/")
    address = f"http://127.0.0.1:{port}"

    def page() -> Any:
        assert process.poll() is None, process.communicate()
        try:
            return fetch(f"{address}/ops/queue/queues")
        except URLError:
            return None

    assert 'href="/ops/queue/jobs"' in wait_until(page, timeout=30)
    assert 'href="/ops/queue/jobs"' in fetch(f"{address}/queues"), "of a proxy that strips the path"
    stream = Events(address, "/ops/queue/queues?_known=table.0")
    stream.next("changed")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    stream.close()


def test_it_listens_for_others_only_if_somebody_says_who_may_look(pgqueue: Command) -> None:
    ran = pgqueue("dashboard", "--host", "0.0.0.0")
    assert ran.code == 2
    assert "--auth" in ran.err


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("basic:/nowhere", "cannot be read"),
        ("basic:", "--auth reads"),
        ("header:X-User", "--auth reads"),
        ("header:X-User@moon", "moon"),
        ("nonsense", "--auth reads"),
    ],
)
def test_an_auth_that_cannot_be_is_refused(pgqueue: Command, said: str, why: str) -> None:
    ran = pgqueue("dashboard", "--auth", said)
    assert ran.code == 2
    assert why in ran.err


def test_users_of_a_file_look_with_their_passwords(tmp_path: Path) -> None:
    import asyncio

    from starlette.requests import Request

    from pgqueue.dashboard.auth_option import auth_of

    users = tmp_path / "users.txt"
    users.write_text(f"# people\nann:admin:{hash_password('a')}\nbob:viewer:{hash_password('b')}:mail.*,video\n")
    auth: Any = auth_of(f"basic:{users}")

    def user(name: str, password: str) -> Any:
        given = b"Basic " + b64encode(f"{name}:{password}".encode())
        return asyncio.run(auth(Request({"type": "http", "headers": [(b"authorization", given)]})))

    assert user("ann", "a").role == "admin"
    assert user("bob", "b").queues == ("mail.*", "video")
    assert user("bob", "a") is None
    # An empty list of queues, as a script may write it, is not all of them.
    for wrong in ("ann:admin", "ann:admin:plain", "ann:king:x", "", f"ann:admin:{hash_password('a')}:"):
        users.write_text(f"{wrong}\n")
        with pytest.raises(ValueError, match=r"."):
            auth_of(f"basic:{users}")


def test_a_line_for_the_file_is_made(pgqueue: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "correct horse")
    ran = pgqueue("dashboard", "--new-user", "ann")
    assert ran.out.startswith("ann:viewer:scrypt$")
    assert "correct" not in ran.out
