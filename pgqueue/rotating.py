"""Keys change: what is encrypted with old ones is wrapped by the one that writes now, a page of rows at a time.

Beside producers and workers: each page is a transaction of its own, and a row that somebody holds is left for the next
time. What was encrypted is not decrypted (envelope.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import psycopg

from pgqueue import encryption
from pgqueue.errors import EncryptionError, OptionError
from pgqueue.store import encrypted_tables as tables
from pgqueue.store import execute
from pgqueue.store.encrypted_tables import TABLES, EncryptedTable, FoundRow

Conn = psycopg.Connection[object]


class At(NamedTuple):
    """How far it is: in which table, behind which key."""

    table: str
    key: tuple[str, ...]


class Done(NamedTuple):
    """A page: so many rows were looked at, written, and left because somebody holds them."""

    at: At
    looked: int
    written: int
    left: int


class KeyUse(NamedTuple):
    """How many rows of a table hold values of a key; not `exact`: reckoned from a part of them."""

    key: str
    table: str
    rows: int
    exact: bool


def rotate(conn: Conn, old: Sequence[str] | None = None, after: At | None = None) -> Iterator[Done]:
    """Wrap what is encrypted with the `old` keys (None: with all that do not write) by the key that writes now.

    Yields after each page, behind which it can be cut off, and go on `after` it later. `conn` has no transaction open.
    Raises EncryptionError for want of a key, OptionError for a key that makes no sense.
    """
    keys = _old_keys(old)
    pattern = tables.holding(keys)
    for table in _from(after):
        key = after.key if after is not None and after.table == table.name else table.start
        while True:
            with conn.transaction():
                rows = execute(conn, tables.page(table, pattern, key))
                found = [row for row in rows if any(text is not None for text in row.texts)]
                new = [_anew(row, keys) for row in found]
                changed = [(row, texts) for row, texts in zip(found, new, strict=True) if texts != row.texts]
                written = execute(conn, tables.rewrite(table, changed)) if changed else 0
            if not rows:
                break
            key = rows[-1].key
            yield Done(At(table.name, key), len(rows), written, len(found) - written)


def key_use(conn: Conn) -> Iterator[KeyUse]:
    """Which keys the values of which tables are encrypted with, table by table. Reads 100,000 rows of each at most."""
    for table in TABLES:
        for counted in execute(conn, tables.count(table, execute(conn, tables.estimate(table)))):
            yield KeyUse(counted.key, table.name, counted.rows, counted.exact)


def _old_keys(said: Sequence[str] | None) -> list[str]:
    writing = encryption.writing_key().id
    known = encryption.key_ids()
    old = [each for each in known if each != writing] if said is None else list(said)
    if writing in old:
        raise OptionError(f"the key {writing} is the one that writes; put a new one in front of it: pgqueue keys new")
    if unknown := [each for each in old if each not in known]:
        raise EncryptionError(f"the key {unknown[0]!r:.60} is not here, only {', '.join(known)}", unknown[0])
    if not old:
        raise OptionError(f"there is no key but {writing}, which writes; add the old ones to {encryption.KEYS}")
    return old


def _from(after: At | None) -> Sequence[EncryptedTable]:
    if after is None:
        return TABLES
    names = [table.name for table in TABLES]
    if after.table not in names or len(after.key) != len(TABLES[names.index(after.table)].keys):
        raise OptionError(f"there is no such place as {after.table!r:.60} {after.key!r:.80}; give it as it was said")
    return TABLES[names.index(after.table) :]


def _anew(row: FoundRow, keys: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(None if text is None else encryption.rewrapped(text, keys) for text in row.texts)
