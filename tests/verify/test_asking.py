"""What the ledger says of each enqueue is what happened."""

from __future__ import annotations

import threading
from pathlib import Path

from pgqueue.embedded import Server
from pgqueue.enqueued import Enqueued
from pgqueue.ids import new_job_id
from pgqueue.store.connection import open_connection
from pgqueue.verify.asking import ask_at_once
from pgqueue.verify.scratch import scratch
from pgqueue.verify.workload import Piece
from tests.waiting import wait_until

WAITS = "select from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"


def test_a_repeated_call_that_met_the_commit_of_the_first_has_created_nothing(server: Server, tmp_path: Path) -> None:
    pieces, given = [Piece("plain", (0.0,)) for _ in range(3)], [new_job_id() for _ in range(3)]
    repeated: list[Enqueued] = []
    with (
        scratch(server.dsn(tcp=True), tmp_path, 30.0, keep=False) as made,
        open_connection(made.dsn, "verify", autocommit=False) as first,
        open_connection(made.dsn, "verify", autocommit=False) as second,
        open_connection(made.dsn, "verify") as watching,
    ):
        assert all(each.created for each in ask_at_once(first, pieces, given))
        repeating = threading.Thread(target=lambda: repeated.extend(ask_at_once(second, pieces, given)))
        repeating.start()
        wait_until(lambda: watching.execute(WAITS, [second.info.backend_pid]).rowcount == 1, 30.0, "the second waits")
        first.commit()
        repeating.join()
        second.commit()
    assert repeated == [Enqueued(job_id, False) for job_id in given]
