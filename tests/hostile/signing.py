"""What workers and people ask of jobs that are signed, on a session that looks elsewhere first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg

from pgqueue.job import NewJob
from pgqueue.keyring import KeySource
from pgqueue.signing import Signer
from pgqueue.signing.seal import HEADER
from pgqueue.store import execute, sealed_jobs, spawning, tenants
from pgqueue.store.sealed_jobs import Tick
from tests import factories
from tests.signing.keys import secret_line


def signed_on(conn: psycopg.Connection[Any]) -> None:
    """A job is looked at as a worker does that requires signatures, and signed by hand."""
    job = factories.enqueue(conn, queue="signed")
    assert not execute(conn, tenants.acting_for())
    signer = Signer(KeySource.from_wire(f"given:{secret_line('a')}"))
    new = NewJob(factories.TARGET)
    execute(conn, spawning.sealed_anew(new, job, "{}", None, signer))
    row = execute(conn, sealed_jobs.signable(job))
    assert row is not None
    assert HEADER in (row.headers or "")
    execute(conn, sealed_jobs.seal(job, "{}"))
    assert execute(conn, sealed_jobs.sealed([job]))[job].headers == "{}"
    found = execute(conn, sealed_jobs.brought({job: Tick("plain", datetime.now(UTC))}))
    assert found[job].schedule is None
