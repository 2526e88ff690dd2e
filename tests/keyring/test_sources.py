"""Where keys come from: who else may read them, when they are read anew, and what is never shown of them."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import shlex
import sys
import traceback
from pathlib import Path

import pytest

from pgqueue.errors import KeyringError
from pgqueue.keyring import KeySource, source
from tests.keyring.conftest import Write, secret

A, B = secret("a"), secret("b")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for changes each time, and ask again for an unknown id each time."""
    monkeypatch.setattr(source, "_LOOK", 0.0)
    monkeypatch.setattr(source, "_ASK_AGAIN", 0.0)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610])
def test_a_file_that_others_may_open_is_refused(write: Write, mode: int) -> None:
    path = write(f"a = {A}", mode)
    with pytest.raises(KeyringError, match=rf"others may open it \(mode {mode:04o}.*chmod 600 {path}"):
        KeySource(f"file:{path}").keyring()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(write: Write) -> None:
    path = write(f"a = {A}")
    os.chown(path, 12345, 12345)
    with pytest.raises(KeyringError, match=r"it belongs to another user \(uid 12345\)"):
        KeySource(f"file:{path}").keyring()


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, why in (("pipe", "it is no file"), ("gone", "No such file"), (".", "it is no file")):
        with pytest.raises(KeyringError, match=why):
            KeySource(f"file:{tmp_path / name}").keyring()


def test_a_file_too_long_or_not_text_is_refused(tmp_path: Path) -> None:
    for content, why in ((b"#" * 70_000, "more than 64 kB"), (b"a = \xff", "no text in UTF-8")):
        path = tmp_path / "keys"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyringError, match=why):
            KeySource(f"file:{path}").keyring()


def test_a_file_is_read_anew_when_it_has_changed(write: Write, at_once: None) -> None:
    keys = KeySource(f"file:{write(f'a = {A}')}")
    before = keys.keyring()
    assert keys.keyring() is before
    write(f"b = {B}\na = {A}\n")
    assert keys.keyring().current is keys.find("b")
    assert before.ids == ["a"]


def test_an_unknown_id_has_the_file_read_at_once(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_ASK_AGAIN", 0.0)
    keys = KeySource(f"file:{write(f'a = {A}')}")
    assert keys.find("b") is None
    write(f"a = {A}\nb = {B}\n")
    assert keys.find("b") is not None


def test_unknown_ids_do_not_have_the_command_run_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may write rows could name an unknown id in each."""
    runs = tmp_path / "runs"
    command = tmp_path / "command"
    command.write_text(f"#!/bin/sh\necho run >> {runs}\necho 'a = {A}'\n")
    command.chmod(0o700)
    keys = KeySource(f"command:{command}")
    for number in range(50):
        assert keys.find(f"unknown-{number}") is None
    assert len(runs.read_text().split()) == 2


def test_keys_stay_when_the_file_is_broken_and_it_is_said_once(
    write: Write, at_once: None, caplog: pytest.LogCaptureFixture
) -> None:
    keys = KeySource(f"file:{write(f'a = {A}')}")
    assert keys.find("a")
    write(f"a {A}")
    with caplog.at_level(logging.WARNING):
        assert all(keys.find("a") for _ in range(5))
    assert [record.getMessage() for record in caplog.records] == [
        f"{keys.name}: line 1 must read: id = base64, and may end with: not-after 2027-01-31; the keys that were read"
        " before stay in use"
    ]
    # Asked for by hand, it says so.
    with pytest.raises(KeyringError, match="line 1 must read"):
        keys.reload()


def test_a_command_prints_keys_and_has_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_DSN", "postgresql://u:geheim@h/d")
    monkeypatch.setenv("VAULT", "here")
    code = f"import os; assert 'PGQUEUE_DSN' not in os.environ and os.environ['VAULT']; print('a = {A}')"
    assert KeySource(f"command:{sys.executable} -c {shlex.quote(code)}").keyring().ids == ["a"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("sh -c 'echo geheim; exit 3'", "ended with 3"),
        ("/no/such/program geheim", "cannot be started: No such file"),
        ("echo 'geheim", "cannot be split into words"),
        ("sh -c 'sleep 60 & sleep 60'", "did not end within 0.2 s"),
    ],
)
def test_a_command_that_fails_is_told_of_without_its_words(
    words: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgqueue.keyring.fetching.TIMEOUT", 0.2)
    with pytest.raises(KeyringError, match=why) as caught:
        KeySource(f"command:{words}").keyring()
    assert "geheim" not in str(caught.value)


def test_a_variable_holds_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = KeySource("env:SHOP_KEYS")
    assert keys.variable == "SHOP_KEYS"
    with pytest.raises(KeyringError, match="env:SHOP_KEYS cannot be read: that variable is not set"):
        keys.keyring()
    monkeypatch.setenv("SHOP_KEYS", f"a = {A}; b = {B}")
    assert keys.keyring().ids == ["a", "b"]
    # To a child that has no such variable.
    wire = keys.to_wire()
    monkeypatch.delenv("SHOP_KEYS")
    assert KeySource.from_wire(wire).keyring().ids == ["a", "b"]


@pytest.mark.parametrize("said", [A, f"a = {A}", f"given:a = {A}", "file:", "https://vault/", ""])
def test_keys_in_place_of_their_source_are_refused_and_not_shown(said: str) -> None:
    with pytest.raises(KeyringError, match="keys come from file:/path, env:NAME or command:program") as caught:
        KeySource(said)
    assert A not in str(caught.value)


def test_nothing_shows_a_key(write: Write) -> None:
    """Neither what objects show, nor pickles and copies, nor what a report of an error sees in its frames."""
    keys = KeySource(f"file:{write(f'a = {A}')}")
    keyring = keys.keyring()
    key = keyring.current
    assert key is not None
    shown = " ".join(map(repr, (keys, keyring, key, [key], {"key": key}))) + f"{keys}{keyring}{key}"
    assert A not in shown
    assert str(b"a" * 32) not in shown
    for thing in (keys, key, keyring):
        for write_it in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError):
                write_it(thing)


@pytest.mark.parametrize("text", [f"a = {A}\nb = {B}\nbroken", f"a = {A}\na = {B}", f"a = {A} not-after {B}"])
def test_no_frame_of_an_error_knows_a_key(write: Write, text: str) -> None:
    """As a reporter of errors has them, with the values of all names."""
    keys = KeySource(f"file:{write(text)}")
    with pytest.raises(KeyringError) as caught:
        keys.keyring()
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in told.stack if "/pgqueue/" in frame.filename]
    assert len(frames) >= 2
    # The frames of the test itself know them.
    assert not [frame for frame in frames if A in str(frame.locals) or A[:20] in str(frame.locals)]
    assert caught.value.__context__ is None
