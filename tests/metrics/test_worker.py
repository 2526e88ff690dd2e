"""What a worker tells Prometheus of itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from pgqueue import events
from pgqueue.events import Finished
from pgqueue.judge import judge
from pgqueue.metrics import families
from pgqueue.metrics.meter import Gauges, Meter
from pgqueue.metrics.names import OF_WORKER
from pgqueue.metrics.series import MOST
from pgqueue.outcome import Failed, Outcome, Succeeded, error_report
from pgqueue.worker.supervision.probes import Probes
from tests.metrics import reading
from tests.metrics.reading import OPEN_METRICS, fetched, samples
from tests.waiting import wait_until
from tests.worker.claims import claim
from tests.worker.conftest import desk, start  # noqa: F401  # fixtures
from tests.worker.running import ERRANDS, KINDS, Desk, StartThreaded

GAUGES = Gauges(
    slots=4, busy=3, buffered=2, lease_left=20.0, version="1", release="r", executor="thread", python="3.11"
)
FAILED = Failed(error_report("E", "no"))


def finished(outcome: Outcome = Succeeded(), target: str = "shop:send", queue: str = "mail") -> Finished:  # noqa: B008
    taken = claim("give", id=uuid4(), target=target, queue=queue)
    return Finished(taken, judge(taken, outcome), 0.01, time.monotonic())


def many(changes: Callable[[int], dict[str, str]]) -> list[Finished]:
    done = finished()
    return [done._replace(claim=done.claim._replace(**changes(number))) for number in range(10_000)]


def told(meter: Meter, accept: str = OPEN_METRICS) -> str:
    return families.rendered(lambda: meter.collected(lambda: GAUGES), accept)[1].decode()


def test_attempts_are_counted_by_queue_target_and_outcome() -> None:
    meter = Meter()
    meter(events.AttemptsFinished([finished(), finished(), finished(FAILED)]))
    meter(events.AttemptsLate([finished()]))
    found = samples(told(meter))
    pair = (("queue", "mail"), ("target", "shop:send"))
    outcome = (("outcome", "succeeded"), *pair)
    assert found["pgqueue_attempts_total", outcome] == 2
    assert found["pgqueue_attempts_total", (("outcome", "failed"), *pair)] == 1
    assert found["pgqueue_late_attempts_total", ()] == 1
    assert found["pgqueue_attempt_duration_seconds_count", pair] == 3
    assert found["pgqueue_attempt_duration_seconds_sum", pair] == pytest.approx(0.03)
    assert found["pgqueue_attempt_duration_seconds_bucket", (("le", "0.011"), *pair)] == 3
    assert found["pgqueue_attempt_duration_seconds_bucket", (("le", "0.0049"), *pair)] == 0
    # It has been due since 1970.
    assert found["pgqueue_wait_seconds_bucket", (("le", "86400.0"), *pair)] == 0
    assert found["pgqueue_wait_seconds_bucket", (("le", "+Inf"), *pair)] == 3


def test_a_wait_is_told_by_the_clock_of_the_database() -> None:
    """This machine's is an hour off."""
    meter = Meter()
    done = finished()
    there = datetime.now(UTC) + timedelta(hours=1)
    done = done._replace(claim=done.claim._replace(run_at=there - timedelta(seconds=3)))
    meter(events.AttemptsFinished([done], there, time.monotonic()))
    pair = (("queue", "mail"), ("target", "shop:send"))
    assert samples(told(meter))["pgqueue_wait_seconds_sum", pair] == pytest.approx(3.0, abs=0.5)


def test_what_never_began_has_no_duration() -> None:
    meter = Meter()
    meter(events.AttemptsFinished([finished()._replace(ended=0.0)]))
    found = samples(told(meter))
    pair = (("queue", "mail"), ("target", "shop:send"))
    assert found["pgqueue_attempts_total", (("outcome", "succeeded"), *pair)] == 1
    assert found["pgqueue_wait_seconds_count", pair] == 0


def test_jobs_that_carry_their_trace_are_examples() -> None:
    meter = Meter()
    done = finished()
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = f'{{"traceparent": "00-{trace}-b7ad6b7169203331-01"}}'
    meter(events.AttemptsFinished([finished(), done._replace(claim=done.claim._replace(headers=headers))]))
    (run,) = [each for each in reading.families(told(meter)).values() if each.name.endswith("attempt_duration_seconds")]
    examples = [(sample.labels["le"], sample.exemplar) for sample in run.samples if sample.exemplar]
    assert [(le, each.labels, each.value) for le, each in examples] == [("0.011", {"trace_id": trace}, 0.01)]
    assert trace not in told(meter, "text/plain")


def test_what_befalls_a_worker_is_counted() -> None:
    meter = Meter()
    meter(events.ChildEnded(1, "signal 9 (SIGKILL): it ran too long"))
    meter(events.ChildEnded(1, "exit code 7"))
    meter(events.DatabaseLost("claimer", "it went away", 1.0))
    meter.timed_step(0.002)
    meter.timed_heartbeat(0.5)
    found = samples(told(meter))
    assert found["pgqueue_children_ended_total", (("how", "SIGKILL"),)] == 1
    assert found["pgqueue_children_ended_total", (("how", "exit"),)] == 1
    assert found["pgqueue_database_lost_total", (("role", "claimer"),)] == 1
    assert found["pgqueue_step_duration_seconds_count", ()] == 1
    assert found["pgqueue_heartbeat_duration_seconds_sum", ()] == 0.5
    assert found["pgqueue_worker_slots_busy", ()] == 3


@pytest.mark.parametrize("accept", [OPEN_METRICS, "text/plain", ""])
def test_both_formats_have_every_metric(accept: str) -> None:
    meter = Meter()
    meter(events.AttemptsFinished([finished()]))
    kind, body = families.rendered(lambda: meter.collected(lambda: GAUGES), accept)
    assert kind.startswith("application/openmetrics-text" if accept == OPEN_METRICS else "text/plain")
    found = reading.families(body.decode())
    # The parser of the older text keeps the names of counters as they are stored.
    named = {metric.name.removesuffix("_info") for metric in OF_WORKER}
    assert {name.removesuffix("_total") for name in named} <= {
        name.removesuffix("_total").removesuffix("_info") for name in found
    }


def test_ten_thousand_targets_make_a_bounded_number_of_series() -> None:
    meter = Meter()
    meter(events.AttemptsFinished(many(lambda n: {"target": f"shop:task_{n}", "queue": f"q{n % 3}"})))
    found = samples(told(meter))
    attempts = {labels: value for (name, labels), value in found.items() if name == "pgqueue_attempts_total"}
    assert MOST < len(attempts) <= MOST + 3
    assert sum(attempts.values()) == 10_000
    assert (("outcome", "succeeded"), ("queue", "q1"), ("target", "other")) in attempts


def test_ten_thousand_queues_make_a_bounded_number_of_series() -> None:
    meter = Meter()
    meter(events.AttemptsFinished(many(lambda n: {"queue": f"tenant-{n}"})))
    attempts = [name for name, _ in samples(told(meter)) if name == "pgqueue_attempts_total"]
    assert len(attempts) <= 2 * MOST + 1


def test_hostile_names_are_labels_that_can_be_parsed() -> None:
    meter = Meter()
    nasty = 'a"b\\c\nd\x1b[31m\u2028{}' + "x" * 1_000
    meter(events.AttemptsFinished([finished(target=nasty, queue=nasty)]))
    for accept in (OPEN_METRICS, "text/plain"):
        text = told(meter, accept)
        assert "\x1b" not in text
        (labels,) = [labels for name, labels in samples(text) if name == "pgqueue_attempts_total"]
        assert all(len(value) < 300 for _, value in labels)


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_tells_what_it_did(start: StartThreaded, desk: Desk, kind: str) -> None:  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    start(executor=kind, concurrency=2, health_port=port)
    desk.conn.execute("select pgqueue.enqueue(%s) from generate_series(1, 5)", [f"{ERRANDS}:work"])
    desk.await_all_ended()
    labels = (("outcome", "succeeded"), ("queue", "default"), ("target", f"{ERRANDS}:work"))

    def counted() -> bool:
        return samples(fetched(port)[2]).get(("pgqueue_attempts_total", labels)) == 5

    wait_until(counted)
    found = samples(fetched(port)[2])
    assert found["pgqueue_worker_slots", ()] == 2
    assert found["pgqueue_step_duration_seconds_count", ()] > 0
    assert 0 < found["pgqueue_worker_lease_remaining_seconds", ()] <= 30
    (info,) = [dict(labels) for name, labels in found if name == "pgqueue_worker_info"]
    assert info["executor"] == kind


def test_without_the_extra_the_door_says_what_to_install() -> None:
    probes = Probes("127.0.0.1", 0, lambda: None)  # type: ignore[arg-type,return-value]  # nobody asks for health
    probes.start()
    try:
        status, _, text = fetched(probes.port)
        assert (status, "pip install 'pgqueue-postgres[prometheus]'" in text) == (501, True)
    finally:
        probes.stop()
