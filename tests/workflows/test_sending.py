"""How workflows are written: whole or not at all, in the caller's transaction, however many jobs they have."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy

import pgqueue
from pgqueue import enqueuing
from pgqueue.testing import drain, eager
from tests.client.connections import url
from tests.workflows.looking import Conn, finish, nothing_was_sent, rows_of
from tests.workflows.shop_tasks import add, failing, note, ran, total


def order(**options: str) -> pgqueue.Workflow:
    """A workflow of a few nodes."""
    flow = pgqueue.Workflow("order", **options)  # type: ignore[arg-type]  # a key at most
    flow.add(note, flow.add(add, 1, 1).result)
    return flow


def test_workflow_is_rolled_back_with_the_transaction(conn: Conn) -> None:
    order().enqueue(conn)
    pgqueue.group((add.job(n, 0) for n in range(300)), then=total.job(pgqueue.results)).enqueue(conn)
    conn.rollback()
    assert nothing_was_sent(conn)


def test_iterator_that_raises_leaves_the_transaction_as_it_was(conn: Conn) -> None:
    def broken() -> Iterator[pgqueue.NewJob]:
        yield from (add.job(n, 0) for n in range(2500))
        raise KeyError("the source")

    note.enqueue(conn, "before")
    with pytest.raises(KeyError):
        pgqueue.group(broken(), then=note.job("then")).enqueue(conn)
    assert (rows_of(conn, "jobs"), rows_of(conn, "workflows")) == (1, 0)


def test_unique_key_is_kept_across_transactions(conn: Conn) -> None:
    first = order(unique_key="k").enqueue(conn)
    conn.commit()
    assert order(unique_key="k").enqueue(conn) == (first.id, False)
    assert rows_of(conn, "jobs") == 1


def test_many_nodes_are_copied_as_few_are_written(conn: Conn) -> None:
    odd = note.using(queue="odd", delay=0, priority=7, labels={"a": "b\t\\"}, timeout=5)
    for many in (False, True):
        flow = pgqueue.Workflow("many")
        first = flow.add(odd.job("tab\t and \\ and ü"))
        flow.add(odd.using(ttl=60).job("x"), after=first, on_error={KeyError: note.job("key"), 'a"b\\c': note.job("c")})
        for _ in range(200 if many else 0):
            flow.add(note, 0, after=first)
        flow.enqueue(conn)
    columns = "delay, ttl, timeout, priority, queue, target, args::text, inputs, labels, success_links, failure_links"
    waiting = conn.execute(
        f"select {columns} from pgqueue.waiting where priority = 7 or args::text <> '[0]'"
    ).fetchall()
    half = len(waiting) // 2
    assert sorted(map(repr, waiting[:half])) == sorted(map(repr, waiting[half:]))
    gates = "select gate, unmet, total, links, errors, others from pgqueue.gates where workflow_id = %s order by 1"
    few, many_ = (
        conn.execute(gates, [id_]).fetchall() for (id_,) in conn.execute("select id from pgqueue.workflows order by id")
    )
    assert few == many_
    nodes = "select node, name, target, total, needs, repairs, optional, callback from pgqueue.nodes where node <= 4"
    rows = conn.execute(f"{nodes} order by workflow_id, node").fetchall()
    assert rows[: len(rows) // 2] == rows[len(rows) // 2 :]
    drain(conn)
    assert len(ran) == 204


def test_group_from_an_iterator_is_never_held_in_memory(conn: Conn) -> None:
    def most(members: int) -> int:
        tracemalloc.start()
        pgqueue.group((add.job(n, 0) for n in range(members)), then=note.job("then")).enqueue(conn)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most(1000)
    assert most(12_000) < 1.5 * most(3000)
    assert conn.execute("select unmet from pgqueue.gates where links is null order by unmet desc").fetchone() == (523,)


def test_async_connections_are_awaited(dsn: str) -> None:
    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as conn:
            started = await order().enqueue(conn)
            await pgqueue.group((add.job(n, 0) for n in range(300)), then=note.job("then")).enqueue(conn)
            group = await pgqueue.open_group(conn, "import", add.job(1, 1))
            await group.add(conn, add.job(1, 1))
            assert await group.close(conn)
            assert await pgqueue.cancel_workflow(conn, started) == 2
            assert started.created

    asyncio.run(main())
    with psycopg.connect(dsn) as conn:
        drain(conn, max_jobs=2000)
    assert ran[-1] == ("note", "then")


def test_sqlalchemy_and_pipelines_write_them_too(dsn: str) -> None:
    engine = sqlalchemy.create_engine(url(dsn))
    with engine.begin() as alchemy:
        order().enqueue(alchemy)
    engine.dispose()
    with psycopg.connect(dsn) as conn:
        with conn.pipeline():
            pgqueue.group((add.job(n, 0) for n in range(300)), then=note.job("then")).enqueue(conn)
        assert (rows_of(conn, "jobs"), rows_of(conn, "waiting")) == (301, 2)


def test_hooks_of_enqueueing_see_every_job(conn: Conn) -> None:
    def label(call: pgqueue.Enqueuing) -> None:
        call.add_labels(by="hook")
        call.headers["x"] = "y"

    pgqueue.on_enqueue(label)
    try:
        order().enqueue(conn)
        pgqueue.group((add.job(n, 0) for n in range(150)), then=note.job("then")).enqueue(conn)
    finally:
        enqueuing.forget(label)
    sql = "select distinct labels ->> 'by', headers ->> 'x' from pgqueue.{}"
    assert [conn.execute(sql.format(table)).fetchall() for table in ("jobs", "waiting")] == [[("hook", "y")]] * 2


def test_idle_workers_are_told_of_what_was_copied(conn: Conn, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as idle:
        for channel in ("pgqueue_default", "pgqueue"):
            idle.execute(f"listen {channel}")
        conn.execute("set pgqueue.notify = 'always'")
        pgqueue.map(note, range(200)).enqueue(conn)
        conn.commit()
        assert any(each.payload == "default" for each in idle.notifies(timeout=5, stop_after=1))


def test_workflow_is_waited_for(conn: Conn, dsn: str) -> None:
    started = order().enqueue(conn)
    conn.commit()
    with pytest.raises(pgqueue.ResultTimeout, match="2 jobs are left"):
        pgqueue.wait_workflow(conn, started, timeout=0.1)
    failing[1] = ValueError
    finish(conn)
    assert pgqueue.wait_workflow(conn, started, timeout=5).state == "failed"
    failing.clear()
    pgqueue.retry_workflow(conn, started)
    conn.commit()

    async def wait() -> str:
        async with await psycopg.AsyncConnection.connect(dsn) as other:
            waiting = asyncio.create_task(_awaited(other))
            await asyncio.to_thread(drain, conn)
            await asyncio.to_thread(conn.commit)
            return await waiting

    async def _awaited(other: psycopg.AsyncConnection[object]) -> str:
        return (await pgqueue.wait_workflow(other, started.id, timeout=20)).state

    assert asyncio.run(wait()) == "succeeded"
    conn.execute("set transaction isolation level repeatable read")
    with pytest.raises(pgqueue.UsageError, match="commit it first"):
        pgqueue.wait_workflow(conn, started)
    conn.rollback()
    with pytest.raises(pgqueue.WorkflowNotFound):
        pgqueue.wait_workflow(conn, "01a22a5e-50ab-7d2d-b359-a7a8f5689b82")


def test_eager_runs_a_workflow_where_it_is_enqueued(conn: Conn) -> None:
    with eager() as attempts:
        started = order().enqueue(conn)
    assert [said for _, said in ran] == [(1, 1), 2]
    assert len(attempts) == 2
    assert pgqueue.get_workflow(conn, started).state == "succeeded"
    failing[1] = ValueError
    with eager(raises=False):
        order().enqueue(conn)
    assert [name for name, _ in ran] == ["add", "note", "add"]
