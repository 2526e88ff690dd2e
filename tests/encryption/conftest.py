"""Keys, and workers that have them; what is planted in the clear is looked for in every table."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue import encryption
from pgqueue.keyring import Key, KeyKind, Keyring
from tests.worker.conftest import db, desk, spawn, start

__all__ = ["db", "desk", "spawn", "start"]

Conn = psycopg.Connection[Any]
# Writes a file of these keys, the first of which writes; answers its source.
KeyFile = Callable[..., str]
PLANTED = "Zaphod-4929-1234"


def key(key_id: str) -> Key:
    """The same key for the same id, in all processes of a test."""
    return Key(key_id, KeyKind.SECRET, content(key_id))


def content(key_id: str) -> bytes:
    return (key_id.encode() * 32)[:32]


def ring(*key_ids: str) -> Keyring:
    return Keyring([key(each) for each in key_ids])


@pytest.fixture
def key_file(tmp_path: Path) -> KeyFile:
    path = tmp_path / "keys"

    def write(*key_ids: str) -> str:
        lines = [f"{each} = {base64.b64encode(content(each)).decode()}\n" for each in key_ids]
        new = tmp_path / "keys.new"
        new.touch(mode=0o600)
        new.write_text("".join(lines))
        os.replace(new, path)
        return f"file:{path}"

    return write


@pytest.fixture(autouse=True)
def _without_keys() -> Iterator[None]:
    encryption.encrypt_with(None)
    yield
    encryption.encrypt_with(None)


def columns_with(conn: Conn, text: str) -> list[str]:
    """The columns of all tables of the schema in which a text stands, in whatever row."""
    tables = conn.execute(
        "select relname from pg_class where relnamespace = 'pgqueue'::regnamespace and relkind in ('r', 'p') order by 1"
    ).fetchall()
    found = []
    for (table,) in tables:
        rows = conn.execute(
            f"select distinct each.key from pgqueue.{table} as one,"
            " jsonb_each_text(to_jsonb(one)) as each where strpos(each.value, %s) > 0",
            [text],
        )
        found += [f"{table}.{column}" for (column,) in rows]
    return found
