"""What all spans and measures share: where they go, what travels with a job, and the names of the conventions.

Those are the semantic conventions 1.44 for messaging, which are still "development": they stand in this room and
nowhere else. A span's name has the target in place of the queue, which tells more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import baggage, context, metrics, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.trace import Span, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pgqueue.description import message_of, traceback_of
from pgqueue.instruments import Headers
from pgqueue.version import __version__

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

# As the conventions advise for durations, seconds.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

TRACE, BAGGAGE = TraceContextTextMapPropagator(), W3CBaggagePropagator()
# When the job was enqueued, seconds since 1970 by the clock of who did: a header of ours.
SENT_AT = "pgqueue-sent-at"

Attributes = dict[str, str | int | float]
SYSTEM: Attributes = {"messaging.system": "pgqueue"}


class Tracing:
    """Where spans and measures go; of the baggage, `baggage_keys` travel with jobs."""

    def __init__(
        self,
        tracer_provider: TracerProvider | None,
        meter_provider: MeterProvider | None,
        baggage_keys: frozenset[str],
        most_spans: int,
    ) -> None:
        self.tracer = trace.get_tracer("pgqueue", __version__, tracer_provider)
        self.most_spans = most_spans
        self._baggage_keys = baggage_keys
        meter = metrics.get_meter("pgqueue", __version__, meter_provider)
        self.sent = meter.create_counter("messaging.client.sent.messages", "{message}", "Jobs enqueued")
        self.consumed = meter.create_counter("messaging.client.consumed.messages", "{message}", "Attempts begun")
        self.process_duration, self.operation_duration = (
            meter.create_histogram(name, "s", explicit_bucket_boundaries_advisory=BUCKETS)
            for name in ("messaging.process.duration", "messaging.client.operation.duration")
        )

    def headers(self, span: Span, sent_at: str) -> Headers:
        """What travels with a job of this span."""
        found: dict[str, str] = {}
        TRACE.inject(found, trace.set_span_in_context(span))
        kept = context.Context()
        for key, value in baggage.get_all().items():
            if key in self._baggage_keys:
                kept = baggage.set_baggage(key, value, kept)
        BAGGAGE.inject(found, kept)
        return {**found, SENT_AT: sent_at} if found else found


def fail(span: Span, error: BaseException) -> None:
    """The span ended with an error."""
    fail_as_told(span, type_of(error), message_of(error), traceback_of(error))


def fail_as_told(span: Span, kind: str, message: str | None, stacktrace: str | None) -> None:
    """The span ended with an error of which this may be told."""
    said = {"type": kind, "message": message, "stacktrace": stacktrace}
    span.add_event("exception", {f"exception.{name}": text or "" for name, text in said.items()})
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR, (message or kind)[:500])


def type_of(error: BaseException) -> str:
    """The name of an error, as it is told."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
