"""`pgqueue dashboard --api`: tokens made by it open the API that it serves."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

from tests.cli.conftest import Command, Start
from tests.cli.test_dashboard import free_port
from tests.dashboard.serving import fetch
from tests.postgres import ROOT
from tests.waiting import wait_until


def test_a_token_that_it_made_opens_the_api_that_it_serves(pgqueue: Command, start: Start, tmp_path: Path) -> None:
    made = pgqueue("dashboard", "--new-token", "ci")
    token = made.err.split()[-1]
    assert token not in made.out
    file = tmp_path / "tokens.txt"
    file.write_text(made.out)
    port = free_port()
    process = start("dashboard", "--port", port, "--root-path", "/ops/queue", "--api", file)
    address = f"http://127.0.0.1:{port}/ops/queue/api/v1/queues"

    def answer() -> Any:
        assert process.poll() is None, process.communicate()
        try:
            return fetch(address, Authorization=f"Bearer {token}")
        except HTTPError:
            raise
        except URLError:
            return None

    assert json.loads(wait_until(answer, timeout=30)) == {"items": [], "next": None}
    with pytest.raises(HTTPError, match="401"):
        fetch(address)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_it_prints_the_description_without_a_database(pgqueue: Command) -> None:
    assert pgqueue("dashboard", "--openapi").out == (ROOT / "docs" / "reference" / "openapi.json").read_text()


@pytest.mark.parametrize(("name", "why"), [("a:b", "a name"), ("", "a name"), ("a\nb", "a name")])
def test_a_name_that_a_line_cannot_hold_is_refused(pgqueue: Command, name: str, why: str) -> None:
    ran = pgqueue("dashboard", "--new-token", name)
    assert ran.code == 2
    assert why in ran.err


def test_a_file_of_tokens_that_cannot_be_read_is_refused(pgqueue: Command, tmp_path: Path) -> None:
    ran = pgqueue("dashboard", "--api", tmp_path / "none")
    assert ran.code == 2
    assert "cannot be read" in ran.err
