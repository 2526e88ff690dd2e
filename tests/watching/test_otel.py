"""One trace from who enqueued a job to what its task does; and nothing where nobody traces."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from opentelemetry import baggage, context
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import pgqueue
import pgqueue.otel
from pgqueue import NewJob, instruments
from pgqueue.logs import job_fields
from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.watching import tasks
from tests.worker.conftest import desk, start  # noqa: F401  # fixtures
from tests.worker.running import Desk, StartThreaded

TASKS = "tests.watching.tasks"
IN_THIS_PROCESS = ("thread", "async")


class Traced:
    """The spans of this process, and the numbers."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._reader = InMemoryMetricReader()
        self.meters = MeterProvider([self._reader])

    def spans(self, name: str | None = None) -> Sequence[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if name in (None, span.name)]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.spans(name)
        return span

    def points(self) -> dict[str, list[Any]]:
        told = self._reader.get_metrics_data()
        if told is None:
            return {}
        metrics = [each for of in told.resource_metrics for scope in of.scope_metrics for each in scope.metrics]
        return {metric.name: list(metric.data.data_points) for metric in metrics}


@pytest.fixture
def traced() -> Iterator[Traced]:
    traced = Traced()
    pgqueue.otel.instrument(
        tracer_provider=traced.provider, meter_provider=traced.meters, baggage_keys=["tenant"], most_spans=5
    )
    yield traced
    pgqueue.otel.uninstrument()


def app(dsn: str) -> Any:
    """A web application that enqueues in its transaction."""

    web = FastAPI()

    @web.get("/order")
    async def order() -> str:
        async with await psycopg.AsyncConnection.connect(dsn) as conn:
            await tasks.send.enqueue(conn, 42)
        return "ordered"

    @web.get("/thread")
    def order_in_a_thread() -> str:
        with psycopg.connect(dsn) as conn:
            pgqueue.enqueue(conn, f"{TASKS}:send_async", [42])
        return "ordered"

    return web


async def fetched(web: Any, path: str) -> str:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://web") as client:
        told: str = (await client.get(path)).json()
        return told


@pytest.mark.parametrize("kind", IN_THIS_PROCESS)
@pytest.mark.parametrize(("path", "task"), [("/order", "send"), ("/thread", "send_async")])
def test_a_request_and_its_job_are_one_trace(
    traced: Traced,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    dsn: str,
    kind: str,
    path: str,
    task: str,
) -> None:
    start(executor=kind, app=[TASKS])
    web = OpenTelemetryMiddleware(app(dsn), tracer_provider=traced.provider)
    assert asyncio.run(fetched(web, path)) == "ordered"
    desk.await_all_ended()
    request = next(span for span in traced.spans() if span.kind is SpanKind.SERVER)
    sent, ran = traced.one(f"enqueue {TASKS}:{task}"), traced.one(f"run {TASKS}:{task}")
    assert request.context is not None
    assert {span.context.trace_id for span in (request, sent, ran)} == {request.context.trace_id}  # type: ignore[union-attr]
    assert sent.parent is not None
    assert sent.parent.span_id == request.context.span_id
    assert ran.parent is not None
    assert sent.context is not None
    assert ran.parent.span_id == sent.context.span_id
    assert (sent.kind, ran.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert ran.attributes is not None
    assert sent.attributes is not None
    assert sent.attributes["messaging.message.id"] == ran.attributes["messaging.message.id"]
    expected = {
        "messaging.system": "pgqueue",
        "messaging.destination.name": "default",
        "messaging.operation.name": "run",
        "messaging.operation.type": "process",
        "messaging.message.body.size": 4,
        "code.function.name": f"{TASKS}.{task}",
        "pgqueue.attempt": 1,
        "pgqueue.outcome": "succeeded",
    }
    assert expected.items() <= dict(ran.attributes).items()
    assert sent.attributes["server.port"] == desk.conn.info.port
    assert ran.attributes.get("shop.order") == (42 if task == "send_async" else None)


def test_a_request_and_its_job_in_a_child_process_are_one_trace(traced: Traced, dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(dsn) as conn:
        pgqueue.enqueue(conn, "tests.watching.traced:send", [1])
        pgqueue.enqueue(conn, "tests.watching.traced:fail_once")
        pgqueue.enqueue(conn, "tests.watching.traced:fork")
    spans = worked(dsn, tmp_path / "spans")
    sent = traced.one("enqueue tests.watching.traced:send")
    (ran,) = [span for span in spans if span["name"].endswith(":send")]
    assert sent.context is not None
    assert (ran["trace"], ran["above"]) == (f"{sent.context.trace_id:032x}", f"{sent.context.span_id:016x}")
    first, second = [span for span in spans if span["name"].endswith(":fail_once")]
    assert first["span"] in second["links"]
    assert first["trace"] != second["trace"]
    # Its copy ends as it returns, and tells nothing.
    assert len([span for span in spans if span["name"].endswith(":fork")]) == 1


def worked(dsn: str, spans: Path) -> list[dict[str, Any]]:
    """What a worker with child processes has traced."""
    env = os.environ | {"PGQUEUE_DSN": dsn, "SPANS_FILE": str(spans)}
    command = [sys.executable, "-m", "pgqueue", "worker", "-A", "tests.watching.traced", "-c", "1", "--burst"]
    for _ in range(2):
        # A job that is retried is not due at once.
        ran = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in spans.read_text().splitlines()]


@pytest.mark.parametrize("kind", IN_THIS_PROCESS)
def test_a_retry_links_to_the_attempt_before_and_to_who_enqueued(
    traced: Traced,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    kind: str,
) -> None:
    start(executor=kind, app=[TASKS])
    with desk.conn.transaction():
        tasks.fail_once.enqueue(desk.conn)
    desk.await_all_ended()
    sent = traced.one(f"enqueue {TASKS}:fail_once")
    first, second = traced.spans(f"run {TASKS}:fail_once")
    assert [link.context.span_id for link in second.links] == [each.context.span_id for each in (sent, first)]  # type: ignore[union-attr]
    assert first.status.status_code is StatusCode.ERROR
    assert first.attributes is not None
    assert (first.attributes["error.type"], first.attributes["pgqueue.outcome"]) == ("ValueError", "failed")
    assert second.status.status_code is not StatusCode.ERROR


def test_of_the_baggage_only_what_is_allowed_travels(traced: Traced, start: StartThreaded, desk: Desk) -> None:  # noqa: F811
    start(executor="thread", app=[TASKS])
    token = context.attach(baggage.set_baggage("card", "4711", baggage.set_baggage("tenant", "t7")))
    try:
        job = tasks.send.using(store_result=True).enqueue(desk.conn, 1)
    finally:
        context.detach(token)
    assert pgqueue.result(desk.conn, job.id, timeout=20).endswith(" t7")
    assert "4711" not in str(desk.conn.execute("select headers from pgqueue.jobs").fetchall())


@pytest.mark.parametrize("count", [3, 150])
def test_of_a_call_that_enqueues_many_few_jobs_have_spans_of_their_own(
    traced: Traced, conn: psycopg.Connection[Any], count: int
) -> None:
    pgqueue.enqueue_many(conn, [NewJob(f"{TASKS}:send", [number]) for number in range(count)])
    call = traced.one(f"enqueue {count} jobs")
    made = traced.spans(f"create {TASKS}:send")
    assert call.attributes is not None
    assert call.attributes["messaging.batch.message_count"] == count
    assert len(made) == (count if count <= 5 else 0)
    rows = conn.execute("select headers ->> 'traceparent' from pgqueue.jobs").fetchall()
    spans = [span.context for span in (made or [call])]
    assert {row[0].split("-")[2] for row in rows} == {f"{span.span_id:016x}" for span in spans if span}
    assert len(rows) == count


def test_a_job_with_a_unique_key_carries_its_trace_and_one_that_was_there_keeps_its_own(
    traced: Traced, conn: psycopg.Connection[Any]
) -> None:
    for _ in range(2):
        pgqueue.enqueue(conn, f"{TASKS}:send", [1], unique_key="k")
    first, _ = traced.spans(f"enqueue {TASKS}:send")
    ((text,),) = conn.execute("select headers ->> 'traceparent' from pgqueue.jobs").fetchall()
    assert first.context is not None
    assert text.split("-")[2] == f"{first.context.span_id:016x}"


def test_an_enqueue_that_fails_is_told_and_raises_as_before(traced: Traced, conn: psycopg.Connection[Any]) -> None:
    conn.execute("alter table pgqueue.jobs add constraint none check (target <> 'a:b')")
    with pytest.raises(psycopg.errors.CheckViolation):
        pgqueue.enqueue(conn, "a:b")
    span = traced.one("enqueue a:b")
    assert span.status.status_code is StatusCode.ERROR


def test_async_calls_are_traced_to_their_end(traced: Traced, dsn: str) -> None:
    async def enqueue() -> int:
        async with await psycopg.AsyncConnection.connect(dsn) as conn:
            called = pgqueue.enqueue(conn, f"{TASKS}:send", [1])
            before = len(traced.spans())
            await called
        return before

    assert asyncio.run(enqueue()) == 0
    assert traced.one(f"enqueue {TASKS}:send").attributes is not None


def test_numbers_are_told_by_the_names_of_the_conventions(
    traced: Traced,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
) -> None:
    start(executor="thread", app=[TASKS])
    tasks.fail.enqueue(desk.conn)
    desk.await_all_ended()
    points = traced.points()
    assert [point.value for point in points["messaging.client.sent.messages"]] == [1]
    assert [point.value for point in points["messaging.client.consumed.messages"]] == [1]
    (ran,) = points["messaging.process.duration"]
    assert (ran.count, ran.attributes["error.type"]) == (1, "ValueError")
    assert ran.explicit_bounds[0] == 0.005
    assert points["messaging.client.operation.duration"][0].count == 1


def test_claims_and_settlements_have_spans_if_asked_for(
    traced: Traced,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
) -> None:
    worker = start(executor="thread", app=[TASKS])
    tasks.send.enqueue(desk.conn, 1)
    desk.await_all_ended()
    assert traced.spans("claim") == []
    pgqueue.otel.uninstrument()
    pgqueue.otel.instrument(tracer_provider=traced.provider, meter_provider=traced.meters, claims=True)
    tasks.send.enqueue(desk.conn, 2)
    desk.await_all_ended()
    worker.stop()
    # The reply to the first settlement may come when the second round has begun.
    claimed, settled = traced.one("claim"), traced.spans("settle")[-1]
    assert (claimed.kind, claimed.parent, settled.kind) == (SpanKind.CLIENT, None, SpanKind.CLIENT)
    for span, name, kind in ((claimed, "claim", "receive"), (settled, "settle", "settle")):
        assert span.attributes is not None
        expected = {
            "messaging.operation.name": name,
            "messaging.operation.type": kind,
            "messaging.batch.message_count": 1,
            "messaging.destination.name": "default",
        }
        assert expected.items() <= dict(span.attributes).items()
    assert instruments.on_round_trip
    pgqueue.otel.uninstrument()
    assert not instruments.on_round_trip


def test_the_numbers_of_a_database_and_a_worker_are_gauges(
    traced: Traced,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    dsn: str,
) -> None:
    worker = start(executor="thread", app=[TASKS], queues=["none"], concurrency=3).worker
    desk.send(f"{TASKS}:send", 1)
    wait_until(desk.workers, 10, "the worker's row")
    end = pgqueue.otel.observe_database(dsn, meter_provider=traced.meters)
    pgqueue.otel.observe_worker(worker, meter_provider=traced.meters)
    points = traced.points()
    jobs = {tuple(point.attributes.values()): point.value for point in points["pgqueue.queue.jobs"]}
    assert (jobs["default", "ready"], jobs["default", "dead"]) == (1, 0)
    assert {point.attributes["state"]: point.value for point in points["pgqueue.workers"]}["alive"] == 1
    assert [point.value for point in points["pgqueue.worker.slots"]] == [3]
    assert points["pgqueue.queue.oldest_ready"][0].value >= 0
    end()
    assert "pgqueue.queue.jobs" not in traced.points()


def test_lines_inside_of_a_span_carry_it(traced: Traced) -> None:
    with traced.provider.get_tracer("test").start_as_current_span("here") as span:
        assert job_fields()["trace_id"] == f"{span.get_span_context().trace_id:032x}"
    assert "trace_id" not in job_fields()


def test_who_does_not_trace_writes_no_headers(conn: psycopg.Connection[Any]) -> None:
    assert instruments.installed == []
    pgqueue.enqueue(conn, f"{TASKS}:send", [1])
    pgqueue.enqueue_many(conn, [NewJob(f"{TASKS}:send", [1])] * 200)
    assert conn.execute("select count(headers) from pgqueue.jobs").fetchall() == [(0,)]


class Broken:
    """An instrument that does everything wrong."""

    def sending(self, *_: Any) -> Any:
        raise RuntimeError("sending")

    def running(self, *_: Any) -> Any:
        raise RuntimeError("running")


class BrokenLater:
    headers: Sequence[Any] = ()

    def sending(self, *_: Any) -> Any:
        return self

    def running(self, *_: Any) -> Any:
        return self

    def ended(self, *_: Any) -> None:
        raise RuntimeError("ended")


@pytest.mark.parametrize("kind", IN_THIS_PROCESS)
@pytest.mark.parametrize("broken", [Broken(), BrokenLater()], ids=["at once", "later"])
def test_what_an_instrument_does_wrong_changes_nothing_about_a_job(
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    kind: str,
    broken: Any,
) -> None:
    instruments.install(broken)
    try:
        start(executor=kind, app=[TASKS])
        job = tasks.send.using(store_result=True).enqueue(desk.conn, 1)
        assert pgqueue.result(desk.conn, job.id, timeout=20)
    finally:
        instruments.remove(broken)


@pytest.mark.parametrize("headers", ['"text"', "[1]", '{"traceparent": 7}', '{"traceparent": "00-zz"}', '{"a": {}}'])
def test_headers_that_make_no_sense_are_none(
    traced: Traced,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    headers: str,
) -> None:
    tasks.send.enqueue(desk.conn, 1)
    desk.conn.execute("update pgqueue.jobs set headers = %s", [headers])
    start(executor="thread", app=[TASKS])
    desk.await_all_ended()
    ran = traced.one(f"run {TASKS}:send")
    assert (ran.parent, list(ran.links)) == (None, [])
