"""The spans of a worker's own statements: `claim` and `settle`, off unless asked for."""

from __future__ import annotations

from opentelemetry import context
from opentelemetry.trace import SpanKind

from pgqueue.instruments import RoundTrip
from pgqueue.otel.spans import SYSTEM, Attributes, Tracing


class RoundTrips:
    """Makes a span of what a round trip claimed, and one of what it settled; none of one that found nothing."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def hear(self, trip: RoundTrip) -> None:
        """A round trip has been answered."""
        if trip.settled:
            queues = {done.claim.queue for done in trip.settled}
            self._tell("settle", "settle", trip, len(trip.settled), queues)
        if trip.claimed:
            self._tell("claim", "receive", trip, len(trip.claimed), {claim.queue for claim in trip.claimed})

    def _tell(self, name: str, kind: str, trip: RoundTrip, count: int, queues: set[str]) -> None:
        said: Attributes = {
            **SYSTEM,
            "messaging.operation.name": name,
            "messaging.operation.type": kind,
            "messaging.batch.message_count": count,
            "server.address": trip.server[0],
            "server.port": trip.server[1],
        }
        if len(queues) == 1:
            said["messaging.destination.name"] = next(iter(queues))
        # No part of whatever happens to be current: one statement is about many jobs.
        span = self._tracing.tracer.start_span(
            name, context.Context(), SpanKind.CLIENT, said, start_time=int(trip.sent_at * 1e9)
        )
        span.end(int((trip.sent_at + trip.seconds) * 1e9))
        del said["messaging.batch.message_count"]
        self._tracing.operation_duration.record(trip.seconds, said)
