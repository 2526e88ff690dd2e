"""Dead jobs in bulk: each batch is bounded in what it reads, and the next goes on where it ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from pgqueue.store import dead, execute
from tests.factories import Conn, count
from tests.store.plans import plans_of, rows_read, scans

FUTURE = datetime.now(UTC) + timedelta(days=1)
# A few in a queue and of a task among many others: they lie far apart.
FILL = """
insert into pgqueue.dead_jobs (id, run_at, created_at, claim, priority, attempt, crashes, queue, target, args, reason)
select ('01900000-0002-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, now(), now(), 1, 5, 1, 0,
       case when n % 700 = 0 then 'rare' else 'mail' end, case when n % 900 = 0 then 'a:rare' else 'a:b' end, '{}', 'x'
from generate_series(1, 6300) as n
"""
RARE_QUEUE, RARE_TARGET, BOTH = 9, 7, 1


@pytest.fixture(params=["never", "full"])
def filled(db: Conn, request: pytest.FixtureRequest) -> Conn:
    db.execute(FILL)
    if request.param == "full":
        db.execute("analyze pgqueue.dead_jobs")
    return db


MEANT = [(None, None, 6300), ("rare", None, RARE_QUEUE), (None, "a:rare", RARE_TARGET), ("rare", "a:rare", BOTH)]


@pytest.mark.parametrize(("queue", "target", "meant"), MEANT)
def test_a_purge_goes_on_where_it_ended_and_forgets_what_was_meant(
    filled: Conn, queue: str | None, target: str | None, meant: int
) -> None:
    forgotten, after = 0, None
    while (batch := execute(filled, dead.purge_batch(queue, target, FUTURE, after, 50))).last is not None:
        assert batch.forgotten <= 50
        assert after is None or batch.last > after
        forgotten, after = forgotten + batch.forgotten, batch.last
    assert forgotten == meant
    assert count(filled, "dead_jobs") == 6300 - meant


@pytest.mark.parametrize(("queue", "target", "meant"), MEANT)
def test_a_retry_goes_on_where_it_ended_and_revives_what_was_meant(
    filled: Conn, queue: str | None, target: str | None, meant: int
) -> None:
    # Each revival is some statements: fewer of the others.
    filled.execute(
        "delete from pgqueue.dead_jobs where queue <> 'rare' and target <> 'a:rare' and right(id::text, 1) < 'f'"
    )
    left = count(filled, "dead_jobs")
    revived, after = 0, None
    while (batch := execute(filled, dead.retry_batch(queue, target, after, 50))).last is not None:
        assert batch.revived <= 50
        revived, after = revived + batch.revived, batch.last
    assert revived == (left if meant == 6300 else meant)
    assert count(filled, "jobs") == revived


@pytest.mark.parametrize(("queue", "target"), [each[:2] for each in MEANT])
@pytest.mark.parametrize("what", ["purge", "retry", "count"])
def test_a_batch_reads_a_bounded_number_of_rows_by_index(
    filled: Conn, what: str, queue: str | None, target: str | None
) -> None:
    after = UUID("01900000-0002-7000-8000-000000000400")
    act: dict[str, Any] = {
        "purge": dead.purge_batch(queue, target, FUTURE, after, 50),
        "retry": dead.retry_batch(queue, target, after, 50),
        "count": dead.count(queue, target, FUTURE, 1000),
    }
    plans = plans_of(filled, lambda: execute(filled, act[what]))
    assert "Seq Scan" not in {node["Node Type"] for node in scans(plans)}
    # Twenty times fifty are looked at; each that is meant is found again, locked and deleted.
    assert rows_read(plans) <= 1000 + 1 + 50 * 12


def test_a_locked_job_is_passed_by_a_purge(filled: Conn, connect: Any) -> None:
    other = connect()
    other.execute("select from pgqueue.dead_jobs where queue = 'rare' order by id limit 1 for update")
    batch = execute(filled, dead.purge_batch("rare", None, FUTURE, None, 50))
    assert batch.forgotten == RARE_QUEUE - 1


def test_what_died_later_is_spared(filled: Conn) -> None:
    before = execute(filled, dead.moment_before(timedelta(hours=1)))
    assert execute(filled, dead.count(None, None, before, 10_000)) == (0, False)
    assert execute(filled, dead.count("rare", None, FUTURE, 10_000)) == (RARE_QUEUE, False)
    assert execute(filled, dead.count(None, None, FUTURE, 1000))[1]
    assert execute(filled, dead.purge_batch(None, None, before, None, 500)).forgotten == 0
