"""The shop's workflows: one that failed, one that runs, one that is done."""

from __future__ import annotations

from uuid import UUID

from tests.factories import Conn
from tests.scenes import failed, order
from tests.store.flows import chain, run, taken


def flows(conn: Conn, worker: int) -> UUID:
    """Fill in some workflows, of which a worker runs something; answers the one that failed."""
    done = chain(conn, 3, name="nightly-report")
    for number in ("1", "2", "3"):
        run(conn, done, number)
    running = order(conn, "order 4711", thumbs=24)
    run(conn, running, "stock", *(f"thumb{n}" for n in range(1, 15)))
    taken(conn, running, "risk", "thumb15", "thumb16")
    conn.execute("update pgqueue.jobs set worker = %s where workflow_id is not null and worker is not null", [worker])
    found = failed(conn, "order 42", "warehouse.example: no route to host")
    conn.execute("delete from pgqueue.workers where host = 'here'")
    conn.execute("update pgqueue.workflows set labels = '{\"tenant\": \"t3\"}', created_at = now() - interval '4 min'")
    for table, name in (("nodes", "target"), ("jobs", "target"), ("waiting", "target"), ("dead_jobs", "target")):
        conn.execute(f"update pgqueue.{table} set {name} = 'shop.orders:step' where workflow_id is not null")
    return found.id
