"""`pgqueue jobs sign`, and what the commands sign that enqueue or change jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.client import get_job
from pgqueue.signing.configured import _configured
from tests.cli.conftest import SHOP, Command


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, pgqueue: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the keys are with which the commands sign."""
    pgqueue("keys", "new", tmp_path / "keys", "--id", "a")
    monkeypatch.setenv("PGQUEUE_SIGNING_KEYS", source := f"file:{tmp_path / 'keys'}")
    _configured.is_known = False
    yield source
    _configured.signer, _configured.is_known = None, False


def work(run: Command) -> None:
    """Do what is due, and signed."""
    ran = run("worker", "-A", SHOP, "-x", "thread", "-c", 1, "--burst", "--require-signature")
    assert ran.code == 0, ran.err


def state(conn: psycopg.Connection[Any], job_id: str) -> tuple[str, str | None]:
    job = get_job(conn, UUID(job_id))
    conn.rollback()
    return job.state.value, job.reason


def test_what_is_enqueued_and_edited_by_hand_is_signed(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    enqueued = pgqueue("enqueue", f"{SHOP}:send_receipt", "[1]").out.strip()
    edited = pgqueue("enqueue", f"{SHOP}:send_receipt", "[1]", "--unique-key", "k").out.strip()
    replaced = pgqueue("enqueue", f"{SHOP}:send_receipt", "[2]", "--unique-key", "k", "--on-conflict", "replace")
    assert replaced.out.strip() == edited
    assert pgqueue("jobs", "edit", edited, "[3]").code == 0
    work(pgqueue)
    assert state(conn, enqueued) == ("succeeded", None)
    assert state(conn, edited) == ("succeeded", None)


def test_a_job_from_before_there_were_keys_is_signed_by_hand_and_revived(
    pgqueue: Command, conn: psycopg.Connection[Any]
) -> None:
    row = conn.execute("select pgqueue.enqueue(%s, '[1]')", [f"{SHOP}:send_receipt"]).fetchone()
    assert row is not None
    job = str(row[0])
    conn.commit()
    work(pgqueue)
    assert state(conn, job) == ("dead", "untrusted")
    assert pgqueue("dead", "list").out.count("untrusted") == 1
    assert pgqueue("jobs", "sign", job).code == 0
    assert pgqueue("jobs", "retry", job).code == 0
    work(pgqueue)
    assert state(conn, job) == ("succeeded", None)
    ran = pgqueue("jobs", "sign", job)
    assert ran.code == 1
    assert "only a job that waits or is dead can be signed" in ran.err
    acts = conn.execute("select job_ids from pgqueue.audit where action = 'jobs sign'").fetchall()
    assert ([UUID(job)],) in acts


def test_without_keys_nothing_is_signed_and_nothing_required(pgqueue: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGQUEUE_SIGNING_KEYS")
    _configured.is_known = False
    job = pgqueue("enqueue", f"{SHOP}:send_receipt", "[1]").out.strip()
    for words in (("jobs", "sign", job), ("worker", "-A", SHOP, "--burst", "--require-signature")):
        ran = pgqueue(*words)
        assert ran.code == 2
        assert "PGQUEUE_SIGNING_KEYS" in ran.err


def test_keys_that_cannot_be_read_keep_jobs_from_being_enqueued(
    pgqueue: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than unsigned, which some worker would bury much later."""
    monkeypatch.setenv("PGQUEUE_SIGNING_KEYS", "file:/no/such/keys")
    _configured.is_known = False
    ran = pgqueue("enqueue", f"{SHOP}:send_receipt", "[1]")
    assert ran.code == 2
    assert "the keys of file:/no/such/keys cannot be read: No such file or directory" in ran.err
