"""OpenTelemetry: one trace from who enqueued a job to what its task does. Extra `otel`; the API alone.

`instrument()` in a process that enqueues, and in the modules of the worker's app: there it holds for what runs jobs.
Who caused a job travels in its row (`headers`): traceparent, tracestate, and of the baggage what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from pgqueue import instruments, logs
from pgqueue.context import JobContext
from pgqueue.errors import UsageError
from pgqueue.instruments import Headers, RoundTrip
from pgqueue.job import Claim, NewJob

try:
    from opentelemetry import trace
except ImportError as missing:
    raise UsageError("tracing needs the OpenTelemetry API; run `pip install 'pgqueue-postgres[otel]'`") from missing

from pgqueue.otel.attempt import Attempt
from pgqueue.otel.gauges import observe_database, observe_worker
from pgqueue.otel.round_trips import RoundTrips
from pgqueue.otel.sending import Sending
from pgqueue.otel.spans import Tracing

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["instrument", "observe_database", "observe_worker", "uninstrument"]

# Of a call that enqueues many, each job has a span of its own up to so many.
MOST_SPANS = 100
_installed: list[_Instrument] = []
_hearing: list[Callable[[RoundTrip], None]] = []


def instrument(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    baggage_keys: Collection[str] = (),
    most_spans: int = MOST_SPANS,
    claims: bool = False,
) -> None:
    """Trace enqueues and attempts in this process from now on; a second call changes nothing.

    With the global providers, unless others are given. Of the baggage `baggage_keys` travel with jobs; it is stored in
    the database, and read by whoever may read jobs. Of a call that enqueues more than `most_spans` jobs the call has
    the only span. With `claims` each round trip that settles or claims jobs has a span, in the process of a worker.
    """
    if not _installed:
        tracing = Tracing(tracer_provider, meter_provider, frozenset(baggage_keys), most_spans)
        _installed.append(_Instrument(tracing))
        instruments.install(_installed[0])
        logs.also_tell(_span_fields)
        if claims:
            _hearing.append(RoundTrips(tracing).hear)
            instruments.on_round_trip.append(_hearing[0])


def uninstrument() -> None:
    """Trace no more."""
    while _installed:
        instruments.remove(_installed.pop())
    while _hearing:
        instruments.on_round_trip.remove(_hearing.pop())


class _Instrument:
    """Begins spans where jobs are enqueued and where they run."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def sending(self, new_jobs: Sequence[NewJob], server: tuple[str, int] | None) -> Sending | None:
        """A call that enqueues begins."""
        return Sending(self._tracing, new_jobs, server) if new_jobs else None

    def running(self, job: JobContext, claim: Claim, headers: Headers) -> Attempt:
        """An attempt begins."""
        return Attempt(self._tracing, job, claim, headers)


def _span_fields() -> Mapping[str, object]:
    """The span that is current where a line is logged."""
    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return {}
    return {"trace_id": f"{found.trace_id:032x}", "span_id": f"{found.span_id:016x}"}
