"""Jobs that fall back, on a session that looks elsewhere first: to other code, to a human, and lost with a worker."""

from __future__ import annotations

from typing import Any

import psycopg

from pgqueue.job import JobState
from pgqueue.judge import Fallback
from pgqueue.store import asking, execute, manual, workers
from pgqueue.store.listing import Asked, page
from tests import factories


def fallen_on(conn: psycopg.Connection[Any]) -> None:
    """Each way in, and each way out."""
    ids = factories.fill(conn, 4, queue="falls")
    taken = factories.claim(conn, factories.enlist(conn), 3, "falls")
    factories.fall(conn, taken[0], "a:b")
    factories.fall(conn, taken[1])
    factories.fall(conn, taken[2])
    (lost,) = factories.claim(conn, worker := factories.enlist(conn), 1, "falls")
    execute(conn, workers.declare_fallbacks(worker, {lost.target: Fallback("human", 1, ("lost",))}))
    factories.lose(conn, lost)
    waiting = execute(conn, manual.page(10))
    assert execute(conn, manual.waiting()).count == len(waiting) == 3
    assert page(conn, Asked(states=frozenset({JobState.MANUAL})))
    assert conn.execute("select * from pgqueue.explain(%s)", [waiting[0].job.id]).fetchall()
    answer = manual.done(waiting[0].job.id, "1", "ann", "test")
    done = execute(conn, asking.required(answer, waiting[0].job.id))
    failed = execute(conn, manual.fail(waiting[1].job.id, "no", "ann", "test"))
    assert failed is not None
    assert (done.state, failed.state) == (JobState.SUCCEEDED, JobState.DEAD)
    conn.execute("select pgqueue.retry(%s)", [waiting[2].job.id])
    assert len(ids) == 4
