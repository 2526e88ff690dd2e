"""Keys as texts have them: what they say, and what is refused without showing any of it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgqueue.errors import KeyringError
from pgqueue.keyring import KeyKind
from pgqueue.keyring.reading import read_keyring
from tests.keyring.conftest import secret

A, B = secret("a"), secret("b")


def test_the_first_key_writes_and_all_read() -> None:
    keyring = read_keyring(f"# of this year\nnew = {A}  # fresh\n\nold = {B} made 2026-05-04\n")
    assert keyring.current is keyring.get("new")
    assert [(key.id, key.kind, key.reveal()) for key in keyring] == [
        ("new", KeyKind.SECRET, b"a" * 32),
        ("old", KeyKind.SECRET, b"b" * 32),
    ]
    assert keyring.get("old").made == datetime(2026, 5, 4, tzinfo=UTC)  # type: ignore[union-attr]  # it is there
    assert keyring.get("none") is None


def test_a_key_is_used_to_the_end_of_its_last_day() -> None:
    key = read_keyring(f"a = {A} not-after 2026-11-30").get("a")
    assert key is not None
    assert not key.expired(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    assert key.expired(datetime(2026, 12, 1, tzinfo=UTC))


def test_an_expired_key_writes_no_more() -> None:
    keyring = read_keyring(f"a = {A} not-after 2001-01-01\nb = {B}")
    assert keyring.current is keyring.get("b")


def test_one_line_holds_several_keys() -> None:
    assert read_keyring(f"a = {A}; b={B} not-after 2027-01-31T12:00:00Z").ids == ["a", "b"]


def test_keys_of_openssl_are_read(tmp_path: Path) -> None:
    """The files that `openssl genpkey` and `openssl pkey -pubout` write."""
    private = tmp_path / "private.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    half = subprocess.run(["openssl", "pkey", "-in", private, "-pubout"], check=True, capture_output=True, text=True)
    keyring = read_keyring(f"a = pem not-after 2099-01-01\n{private.read_text()}\nb = pem\n{half.stdout}c = {A}")
    assert [(key.id, key.kind) for key in keyring] == [
        ("a", KeyKind.PRIVATE),
        ("b", KeyKind.PUBLIC),
        ("c", KeyKind.SECRET),
    ]
    assert keyring.get("a").not_after is not None  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no key; make one: pgqueue keys new"),
        (A, "line 1 must read: id = base64"),
        (f"a {A}", "line 1 must read: id = base64"),
        (f"a b = {A}", "line 1 must read: id = base64"),
        (f"a = {A}\na = {B}", "the key a is there twice"),
        ("a = c2hvcnQ=", "the key a must have 32 bytes, got 5; make one"),
        ("a = !!!!", "line 1 holds no base64"),
        (f"ä = {A}", "a key's id must be 1 to 40 letters"),
        (f"{'a' * 41} = {A}", "a key's id must be 1 to 40 letters"),
        (f"a = {A} not-after tomorrow", "line 1: not-after must be a day, as 2027-01-31, got 'tomorrow'"),
        (f"a = {A} not-after 2027-01-31T12:00:00", "line 1: not-after needs a time zone"),
        (f"a = {A} until 2027-01-31", "line 1: behind a key stand made and not-after, got 'until'"),
        (f"a = {A} not-after", "line 1 must read: id = base64"),
        ("a = pem\n-----BEGIN RSA PRIVATE KEY-----\n", "of an Ed25519 key without a passphrase"),
        ("a = pem", "behind line 1 must come -----BEGIN PRIVATE KEY-----"),
        (f"a = pem\n-----BEGIN PUBLIC KEY-----\n{A}\n-----END PUBLIC KEY-----", "the key of line 1 is none of Ed25519"),
        ("-----BEGIN PRIVATE KEY-----\n", "put a line before it: my-key = pem"),
        ("\n".join(f"k{n} = {A}" for n in range(101)), "there are 101 keys, of which 100 may be"),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(text: str, said: str) -> None:
    with pytest.raises(KeyringError) as caught:
        read_keyring(text)
    assert said in str(caught.value)
    assert A not in str(caught.value)
