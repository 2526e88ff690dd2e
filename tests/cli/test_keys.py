"""`pgqueue keys`: new keys for this user's eyes alone, and a list that shows none of them. It needs no database."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pgqueue.keyring import KeySource
from tests.cli.conftest import Command


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_key_is_for_this_user_alone_and_never_printed(
    pgqueue: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_mask = os.umask(0)
    try:
        ran = pgqueue("keys", "new", tmp_path / "keys", "--id", "first")
    finally:
        os.umask(old_mask)
    assert ran.code == 0, ran.err
    assert mode_of(tmp_path / "keys") == 0o600
    text = (tmp_path / "keys").read_text()
    content = text.split()[2]
    assert content not in ran.out + ran.err
    monkeypatch.setenv("PGQUEUE_SIGNING_KEYS", f"file:{tmp_path / 'keys'}")
    listed = pgqueue("keys", "list", "--json")
    assert [(row["id"], row["kind"], row["use"]) for row in listed.json] == [("first", "secret", "writes")]
    assert 0 <= listed.json[0]["age"] < 2 * 86_400
    assert content not in listed.out + pgqueue("keys", "list").out


def test_a_key_that_is_added_reads_until_it_is_moved_to_the_top(pgqueue: Command, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    ids = [pgqueue("keys", "new", keys, "--json").json[0]["id"] for _ in range(3)]
    assert ids[1:] == [f"{ids[0]}-2", f"{ids[0]}-3"]
    assert [row["use"] for row in pgqueue("keys", "list", f"file:{keys}", "--json").json] == [
        "writes",
        "reads",
        "reads",
    ]
    keys.write_text("\n".join(reversed(keys.read_text().splitlines())))
    assert KeySource(f"file:{keys}").keyring().current.id == ids[2]  # type: ignore[union-attr]  # there is one
    ran = pgqueue("keys", "new", keys, "--id", ids[0])
    assert ran.code == 2
    assert "has a key" in ran.err


def test_a_pair_has_its_halves_in_two_files(pgqueue: Command, tmp_path: Path) -> None:
    private, public = tmp_path / "signer", tmp_path / "workers"
    assert pgqueue("keys", "new", private, "--public", public, "--id", "web").code == 0
    assert [mode_of(path) for path in (private, public)] == [0o600, 0o600]
    listed = pgqueue("keys", "list", f"file:{private}", f"file:{public}", "--json").json
    assert [(row["id"], row["kind"], row["use"]) for row in listed] == [
        ("web", "private", "writes"),
        ("web", "public", "reads"),
    ]
    assert "PRIVATE" not in public.read_text()


def test_a_file_that_others_may_read_is_not_added_to(pgqueue: Command, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    pgqueue("keys", "new", keys)
    keys.chmod(0o644)
    before = keys.read_text()
    ran = pgqueue("keys", "new", keys)
    assert ran.code == 2
    assert "chmod 600" in ran.err
    assert keys.read_text() == before
    assert list(tmp_path.iterdir()) == [keys]


def test_a_link_is_kept_and_what_it_leads_to_is_written(pgqueue: Command, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "keys"
    link.symlink_to(tmp_path / "real" / "keys")
    assert pgqueue("keys", "new", link).code == 0
    assert pgqueue("keys", "new", link).code == 0
    assert link.is_symlink()
    assert len(KeySource(f"file:{link}").keyring()) == 2


def test_what_makes_no_key_is_said(pgqueue: Command, tmp_path: Path) -> None:
    for words, said in (
        ((tmp_path / "no" / "keys",), "no file can be made in"),
        ((tmp_path / "keys", "--id", "a b"), "line 1 must read"),
        ((tmp_path / "keys", "--public", tmp_path / "keys"), "a file of its own"),
    ):
        ran = pgqueue("keys", "new", *words)
        assert ran.code == 2, words
        assert said in ran.err
    assert pgqueue("keys", "list", f"file:{tmp_path / 'gone'}").code == 2
