"""What tests of an application ask, and batches, on a session that looks elsewhere first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg

from pgqueue.store import execute, together, travelling, unclaimed
from tests import factories

HOUR = timedelta(hours=1)


def tried_on(conn: psycopg.Connection[Any]) -> None:
    """Time travels there and back, what waits is looked at, and what may run in one call is found and settled."""
    ids = factories.fill(conn, 4, queue="tried")
    assert execute(conn, travelling.now())
    execute(conn, travelling.send_back(HOUR, execute(conn, travelling.bring_nearer(HOUR))))
    execute(conn, travelling.restore_windows(HOUR, execute(conn, travelling.shorten_windows(HOUR))))
    execute(conn, travelling.lengthen_sleeps(HOUR, execute(conn, travelling.shorten_sleeps(HOUR))))
    execute(conn, unclaimed.bring_within_reach())
    execute(conn, unclaimed.as_if_tried(ids[0], 1))
    assert len(execute(conn, unclaimed.unclaimed(None, "tried", 10))) >= 4
    lead = factories.claim_one(conn, worker=factories.enlist(conn), queue="alike")
    alike = factories.fill(conn, 2, queue="alike")
    assert execute(conn, unclaimed.alike(lead.id, 10)) == alike
    assert execute(conn, unclaimed.brought_by(lead.id)) == []
    (epoch,) = conn.execute("select epoch from pgqueue.workers where id = %s", [lead.worker]).fetchone() or (0,)
    found = execute(conn, together.claim_companions(lead, epoch, (lead.run_at, lead.id), 5, most_attempts=26))
    assert [claim.id for claim in found.step.claims] == alike
    execute(conn, together.limit_keys([lead.id]))
    late: list[Any] = []
    done = [lead, *found.step.claims]
    assert execute(conn, together.complete(done, ["1", None, None], [None] * 3, late.extend))
    assert late == []
