"""Signatures beside tenants, and beside encryption: a row is bound to whose it is, and stays good when keys change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

import pgqueue
from pgqueue import encryption
from pgqueue.encryption import rewrapped
from pgqueue.keyring.making import add_secret
from tests.signing import tasks
from tests.signing.conftest import Work, end_of

Conn = psycopg.Connection[Any]
HERE = tasks.HERE


def test_a_job_is_bound_to_the_tenant_whose_it_is(conn: Conn, keys: Path, work: Work) -> None:
    pgqueue.sign_with(f"file:{keys}", tenants=True)
    conn.execute("set pgqueue.tenant = 'acme'")
    kept, moved = (pgqueue.enqueue(conn, f"{HERE}:pay", [n]).id for n in (1, 2))
    many = pgqueue.enqueue_many(conn, [pgqueue.NewJob(f"{HERE}:pay", [3], queue="q")] * 120)
    conn.execute("update pgqueue.jobs set tenant = 'acme'")
    conn.execute("update pgqueue.jobs set tenant = 'other' where id = any (%s)", [[moved, many[0]]])
    work()
    assert end_of(conn, kept)[0] == "succeeded"
    assert end_of(conn, moved) == ("dead", "untrusted", "pgqueue.Untrusted: tenant changed since it was signed")
    assert end_of(conn, many[0])[1] == "untrusted"
    assert len(tasks.ran) == 120


def test_a_job_that_is_encrypted_stays_signed_when_its_keys_are_changed(
    conn: Conn, keys: Path, work: Work, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets"
    old = add_secret(secrets, "old")
    encryption.encrypt_with(f"file:{secrets}")
    try:
        jobs = [pgqueue.enqueue(conn, f"{HERE}:pay", [1]).id]
        jobs += pgqueue.enqueue_many(conn, [pgqueue.NewJob(f"{HERE}:pay", [2])] * 120)
        replaced = pgqueue.enqueue(conn, f"{HERE}:pay", [3], unique_key="k").id
        pgqueue.enqueue(conn, f"{HERE}:pay", [4], unique_key="k", on_conflict="replace")
        pgqueue.enqueue(conn, f"{HERE}:pay", [5], on_success=pgqueue.NewJob(f"{HERE}:clean_up", {"why": "after it"}))
        pgqueue.chain(tasks.pay.job(6), pgqueue.NewJob(f"{HERE}:total", [pgqueue.previous, "x"])).enqueue(conn)
        forged = pgqueue.enqueue(conn, f"{HERE}:pay", [7]).id
        rows = conn.execute("select id, args::text from pgqueue.jobs").fetchall()
        assert all("encrypted:old" in args for _, args in rows)
        add_secret(secrets, "new")
        secrets.write_text("\n".join(reversed(secrets.read_text().splitlines())))
        encryption.encrypt_with(f"file:{secrets}")
        for job_id, args in rows:
            anew = rewrapped(args, [old])
            assert "encrypted:new" in anew
            conn.execute("update pgqueue.jobs set args = %s where id = %s", [anew, job_id])
        conn.execute("update pgqueue.jobs set args = %s where id = %s", [rows[0][1], forged])
        work()
    finally:
        encryption.encrypt_with(None)
    dead = conn.execute("select id, reason from pgqueue.dead_jobs").fetchall()
    assert dead == [(forged, "untrusted")]
    assert end_of(conn, replaced)[0] == "succeeded"
    assert sorted(set(tasks.ran), key=str) == [
        ("clean_up", "after it"),
        *(("pay", n) for n in (1, 2, 4, 5, 6)),
        ("total", 6),
    ]
