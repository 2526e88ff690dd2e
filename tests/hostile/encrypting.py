"""What is encrypted: signals and forks of who has keys, and a rotation page by page."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg

import pgqueue
from pgqueue import encryption
from pgqueue.keyring import Key, KeyKind, Keyring
from pgqueue.rotating import key_use, rotate
from pgqueue.store import durable, encrypted_tables, execute
from pgqueue.store.durable import CopiedStep
from pgqueue.store.encrypted_tables import TABLES, FoundRow
from tests import factories

Conn = psycopg.Connection[Any]
_NEW, _OLD = (Key(name, KeyKind.SECRET, name.encode() * 16) for name in ("k2", "k1"))


def signalled_on(conn: Conn) -> None:
    """What programs ask on a connection of their own."""
    encryption.encrypt_with(Keyring([_OLD]))
    try:
        job = pgqueue.enqueue(conn, factories.TARGET, [1], queue="kept", delay=3600)
        assert pgqueue.signal(conn, job.id, "paid", 1)
        args = execute(conn, durable.args_of_fork(job.id)) or ""
        assert args.startswith('{"$codec":"encrypted:k1"')
        execute(conn, durable.set_args_of_fork(job.id, args))
        assert execute(conn, durable.copied_steps(job.id, "encrypted:", -1, 10)) == []
        execute(conn, durable.set_copied_steps(job.id, [CopiedStep("step", "a", 1, args, args)]))
    finally:
        encryption.encrypt_with(None)


def rotated_on(conn: Conn) -> None:
    """What the command line asks."""
    encryption.encrypt_with(Keyring([_NEW, _OLD]))
    try:
        with conn.transaction(force_rollback=True):
            assert sum(done.written for done in rotate(conn)) > 0
            for table in TABLES:
                key = tuple(
                    str(uuid4()) if kind == "uuid" else low
                    for low, (_, kind) in zip(table.start, table.keys, strict=True)
                )
                texts: list[str | None] = ["1" for _ in table.columns]
                row = FoundRow(key, tuple(texts))
                execute(conn, encrypted_tables.page(table, encrypted_tables.holding(["k1"]), table.start))
                assert execute(conn, encrypted_tables.rewrite(table, [(row, texts)])) == 0
                execute(conn, encrypted_tables.count(table, execute(conn, encrypted_tables.estimate(table))))
            assert "k1" not in {use.key for use in key_use(conn)}
    finally:
        encryption.encrypt_with(None)
