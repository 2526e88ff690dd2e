"""What Sentry is told, by a transport that keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import psycopg
import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from pgqueue import instruments
from pgqueue.errors import OptionError
from pgqueue.leaving_out import HIDDEN
from pgqueue.sentry import PgqueueIntegration, _instrument
from tests.watching import tasks
from tests.worker.conftest import desk, start  # noqa: F401  # fixtures
from tests.worker.running import Desk, StartThreaded

TASKS = "tests.watching.tasks"
KINDS = ("thread", "async")


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[tuple[str, dict[str, Any]]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            if item.payload.json is not None:
                self.items.append((str(item.type), item.payload.json))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [item for each, item in self.items if each == kind]


Begin = Callable[..., Kept]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Initialise Sentry: `begin(report="every")`; undone after the test."""

    def begin(*, client: Mapping[str, Any] = MappingProxyType({}), **options: Any) -> Kept:
        kept = Kept()
        sentry_sdk.init(
            dsn="https://key@sentry.invalid/1",
            transport=kept,
            traces_sample_rate=1.0,
            **client,
            default_integrations=False,
            integrations=[PgqueueIntegration(**options)],
        )
        # It sets itself up once in a process.
        instruments.install(_instrument)
        return kept

    yield begin
    instruments.remove(_instrument)
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_that_ends_a_job_is_reported_with_the_job(
    begin: Begin,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    kind: str,
) -> None:
    kept = begin()
    start(executor=kind, app=[TASKS])
    job = tasks.fail.enqueue(desk.conn, api_token="hunter2")
    tasks.fail_once.enqueue(desk.conn)
    desk.await_all_ended()
    (event,) = kept.of("event")
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"], error["mechanism"]["type"]) == ("ValueError", "no paper", "pgqueue")
    tags = {"pgqueue.job": str(job.id), "pgqueue.target": f"{TASKS}:fail", "pgqueue.attempt": "1"}
    assert tags.items() <= event["tags"].items()
    assert event["contexts"]["pgqueue"]["reason"] == "exhausted"
    ((cause,),) = desk.conn.execute("select cause from pgqueue.dead_jobs where id = %s", [job.id]).fetchall()
    assert (event["fingerprint"], event["tags"]["pgqueue.cause"]) == (["pgqueue", cause], cause)
    assert "hunter2" not in str(event["contexts"])


@pytest.mark.filterwarnings("ignore:The send_default_pii option is deprecated")
@pytest.mark.parametrize("client", [{"send_default_pii": True}, {"data_collection": {"queues": True}}], ids=str)
def test_arguments_are_sent_where_they_may_be_and_without_secrets(
    begin: Begin,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    client: dict[str, Any],
) -> None:
    if not client.keys() <= sentry_sdk.consts.DEFAULT_OPTIONS.keys():
        pytest.skip(f"sentry-sdk {sentry_sdk.VERSION} has no option {[*client]}")
    kept = begin(client=client)
    start(executor="thread", app=[TASKS])
    tasks.fail.enqueue(desk.conn, api_token="hunter2")
    desk.await_all_ended()
    (event,) = kept.of("event")
    assert event["contexts"]["pgqueue"]["args"] == f'{{"api_token": "{HIDDEN}"}}'


@pytest.mark.parametrize(("report", "times"), [("dead", 1), ("last", 1), ("every", 2)])
def test_failures_are_reported_as_often_as_is_asked(
    begin: Begin,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    report: str,
    times: int,
) -> None:
    kept = begin(report=report)
    start(executor="thread", app=[TASKS])
    tasks.fail_twice.enqueue(desk.conn)
    desk.await_all_ended()
    assert len(kept.of("event")) == times


def test_an_expected_error_is_never_reported(
    begin: Begin,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
) -> None:
    kept = begin(report="every")
    start(executor="thread", app=[TASKS])
    tasks.fail_expectedly.enqueue(desk.conn)
    desk.await_all_ended()
    assert kept.of("event") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_and_its_job_are_one_trace(
    begin: Begin,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    kind: str,
) -> None:
    kept = begin()
    start(executor=kind, app=[TASKS])
    with sentry_sdk.start_transaction(name="/order", op="http.server"):
        job = tasks.send.enqueue(desk.conn, 1)
    desk.await_all_ended()
    found = {each["transaction"]: each for each in kept.of("transaction")}
    request, ran = found["/order"], found[f"{TASKS}:send"]
    (published,) = request["spans"]
    (processed,) = ran["spans"]
    assert (published["op"], processed["op"]) == ("queue.publish", "queue.process")
    trace = ran["contexts"]["trace"]
    assert trace["trace_id"] == request["contexts"]["trace"]["trace_id"]
    assert trace["parent_span_id"] == published["span_id"]
    assert (trace["op"], trace["origin"]) == ("queue.task.pgqueue", "auto.queue.pgqueue")
    data = processed["data"]
    assert (data["messaging.message.id"], data["messaging.message.retry.count"]) == (str(job.id), 0)
    assert data["messaging.destination.name"] == "default"
    assert data["messaging.message.receive.latency"] >= 0


def test_the_job_of_a_schedule_checks_in(
    begin: Begin,
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
) -> None:
    kept = begin(crons=True, max_runtime=7)
    start(executor="thread", app=[TASKS])
    tasks.report.using(labels={"schedule": f"{TASKS}:report"}).enqueue(desk.conn)
    desk.await_all_ended()
    began, ended = kept.of("check_in")
    assert (began["status"], ended["status"]) == ("in_progress", "ok")
    assert began["check_in_id"] == ended["check_in_id"]
    assert began["monitor_slug"] == "tests-watching-tasks-report"
    config = began["monitor_config"]
    assert config["schedule"] == {"type": "crontab", "value": "0 3 * * *"}
    assert (config["timezone"], config["max_runtime"]) == ("Europe/Berlin", 7)


def test_without_sentry_nothing_is_asked_of_it(conn: psycopg.Connection[Any]) -> None:
    instruments.install(_instrument)
    try:
        tasks.send.enqueue(conn, 1)
    finally:
        instruments.remove(_instrument)
    assert conn.execute("select count(headers) from pgqueue.jobs").fetchall() == [(0,)]


def test_a_wrong_word_is_refused() -> None:
    with pytest.raises(OptionError, match="report must be dead, last or every, got 'never'"):
        PgqueueIntegration("never")  # type: ignore[arg-type]
