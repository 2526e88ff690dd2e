"""A password in a DSN is printed by no command, whatever its form and whatever goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import pgqueue
from pgqueue.dashboard import create_app
from pgqueue.metrics.exporter import Exporter
from tests.cli.conftest import SHOP, Command
from tests.dashboard.asking import ask
from tests.postgres import ROOT
from tests.security.echoing_server import echoing_server
from tests.security.every_command import every_command

PASSWORD = "hush/S3cr@t:1"
ENCODED = quote(PASSWORD, safe="")
FEW = [
    ["status"],
    ["migrate"],
    ["doctor"],
    ["jobs", "list"],
    ["enqueue", "a:b"],
    ["jobs", "retry", "state:dead", "--yes"],
]
# By what stands in front of the port, so that each leads where a test wants it.
FORMS = {
    "a URI": f"postgresql://app:{ENCODED}@127.0.0.1:{{port}}/nothing",
    "a parameter of a URI": f"postgresql://app@127.0.0.1:{{port}}/nothing?password={ENCODED}",
    "words": f"host=127.0.0.1 port={{port}} dbname=nothing user=app password='{PASSWORD}'",
    "several hosts": f"postgresql://app:{ENCODED}@127.0.0.1:{{port}},localhost:{{port}}/nothing",
    "the password of a key": f"postgresql://app@127.0.0.1:{{port}}/nothing?sslpassword={ENCODED}&sslkey=/nowhere/key",
    "not encoded": f"postgresql://app:{PASSWORD}@127.0.0.1:{{port}}/nothing",
    "not encoded, in words": f"host=127.0.0.1 port={{port}} password={PASSWORD} {PASSWORD}",
    "of SQLAlchemy": f"postgresql+psycopg://app:{ENCODED}@127.0.0.1:{{port}}/nothing",
    "the name of a database": f"host=127.0.0.1 port={{port}} dbname=postgresql://app:{ENCODED}@127.0.0.1/nothing",
}


def assert_hushed(where: object, text: str) -> None:
    for secret in (PASSWORD, ENCODED, "hush", "S3cr"):
        assert secret not in text, where


@pytest.fixture
def passfile(tmp_path: Path) -> str:
    """A password file, for a server of which it is the password."""
    path = tmp_path / "passfile"
    path.write_text(f"*:*:*:*:{PASSWORD.replace(':', chr(92) + ':')}\n")
    path.chmod(0o600)
    return str(path)


def test_no_command_says_it_of_a_server_that_is_away(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Some write a file of the name that they are given.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PGQUEUE_DSN", FORMS["a URI"].format(port=1))
    reached = 0
    for words in every_command():
        ran = command(*words)
        assert_hushed(words, ran.out + ran.err)
        assert ran.code != 0 or ran.out, words
        reached += ran.code == 3
    # The others want more than a word, or look at nothing.
    assert reached > 60


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_it_is_said(command: Command, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    dsn = FORMS[form].format(port=1)
    for words in FEW:
        monkeypatch.setenv("PGQUEUE_DSN", dsn)
        ran = command(*words)
        assert ran.code == 3, ran.err
        assert_hushed(words, ran.out + ran.err)
        monkeypatch.delenv("PGQUEUE_DSN")
        ran = command(*words, "--dsn", dsn)
        assert ran.code == 3, ran.err
        assert_hushed(words, ran.out + ran.err)


@pytest.mark.parametrize("form", ["a URI", "a parameter of a URI", "words", "several hosts", "a password file"])
def test_a_server_that_refuses_it_and_repeats_it_is_not_quoted(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    passfile: str,
    form: str,
) -> None:
    with echoing_server() as port:
        dsn = FORMS.get(form, f"postgresql://app@127.0.0.1:{{port}}/nothing?passfile={passfile}").format(port=port)
        monkeypatch.setenv("PGQUEUE_DSN", dsn)
        for words in FEW:
            ran = command(*words)
            assert ran.code == 3, ran.err
            assert_hushed(words, ran.out + ran.err)
        with pytest.raises(pgqueue.DatabaseUnreachable) as caught:
            pgqueue.connect(dsn)
        told: BaseException | None = caught.value
        while told is not None:
            assert_hushed(type(told), f"{told} {told!r}")
            told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)


def test_a_wrong_database_is_told_without_it(command: Command, monkeypatch: pytest.MonkeyPatch, dsn: str) -> None:
    given = conninfo_to_dict(dsn)
    wrong = f"postgresql://{given['user']}:{ENCODED}@{given['host']}:{given['port']}/no_such_database"
    monkeypatch.setenv("PGQUEUE_DSN", wrong)
    for words in FEW:
        ran = command(*words)
        assert ran.code == 3, ran.err
        assert "no_such_database" in ran.err
        assert_hushed(words, ran.out + ran.err)


def test_a_file_of_dsns_is_told_of_without_them(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGQUEUE_DSN")
    file = tmp_path / "dsns"
    file.write_text("".join(f"{FORMS[form].format(port=1)}\n" for form in ("a URI", "words", "several hosts")))
    file.chmod(0o600)
    for words in (["status"], ["doctor"], ["status", "--json"]):
        ran = command(*words, "--dsn-file", file)
        assert ran.code != 0
        assert_hushed(words, ran.out + ran.err)
        assert "others on this machine" not in ran.err
    file.chmod(0o644)
    assert f"others on this machine may read {file}" in command("status", "--dsn-file", file).err
    file.write_text(FORMS["not encoded"].format(port=1))
    ran = command("status", "--dsn-file", file)
    assert "line 1 of" in ran.err
    assert_hushed("a line that cannot be read", ran.out + ran.err)


def test_no_page_and_no_answer_of_the_dashboard_says_it(dsn: str) -> None:
    with echoing_server() as port:
        for to in (1, port):
            app = create_app(FORMS["a URI"].format(port=to), read_dsn=FORMS["words"].format(port=to))
            for page in ("/", "/jobs", "/health", "/queues"):
                assert_hushed(page, ask(app, page).text)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment without anybody's password file."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"HOME": str(tmp_path)}


@pytest.mark.parametrize("words", [["worker", "-A", SHOP, "--burst"], ["top"], ["events"]])
def test_none_of_those_that_last_says_it(words: list[str], home: dict[str, str]) -> None:
    with echoing_server() as port:
        dsn = FORMS["a URI"].format(port=port)
        ran = subprocess.run(
            [sys.executable, "-m", "pgqueue", *words, "--dsn", dsn],
            cwd=ROOT, env=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ran.returncode == 3
    assert "127.0.0.1" in ran.stderr
    assert_hushed(words, ran.stdout + ran.stderr)


def test_no_answer_to_prometheus_says_it(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with echoing_server() as port:
        server = Exporter(FORMS["a URI"].format(port=port), "127.0.0.1", 0)
        server.start()
        answer = httpx.get(f"http://127.0.0.1:{server.port}/metrics")
        server.stop()
    assert_hushed("metrics", answer.text + caplog.text + "".join(capfd.readouterr()))


def test_what_a_value_holds_of_a_dsn_is_not_in_its_repr() -> None:
    dsn = FORMS["a URI"].format(port=1)
    worker = pgqueue.Worker(dsn, app=[SHOP])
    assert_hushed("a worker", f"{worker!r} {vars(worker)!r}")


def test_libpq_would_have_said_it() -> None:
    """The tests above can fail: a connection of psycopg's own repeats what the server says."""
    with echoing_server() as port, pytest.raises(psycopg.OperationalError, match="hush"):
        psycopg.connect(FORMS["a URI"].format(port=port))
