"""The spans of a call that enqueues: its own, and one for each of its jobs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from pgqueue.codec import args_of
from pgqueue.job import DEFAULT_QUEUE, NewJob
from pgqueue.otel.spans import SYSTEM, Attributes, Tracing, fail, type_of


class Sending:
    """One call that enqueues: a span, and one below it for each of several jobs."""

    def __init__(self, tracing: Tracing, new_jobs: Sequence[NewJob], server: tuple[str, int] | None) -> None:
        self._tracing = tracing
        self._new_jobs = new_jobs
        self._began = time.monotonic()
        self._where: Attributes = {} if server is None else {"server.address": server[0], "server.port": server[1]}
        many = len(new_jobs) > 1
        said = _about(new_jobs[0], "send", many=many) | self._where
        if many:
            said["messaging.batch.message_count"] = len(new_jobs)
        name = f"enqueue {len(new_jobs)} jobs" if many else f"enqueue {new_jobs[0].name}"
        kind = SpanKind.CLIENT if many else SpanKind.PRODUCER
        self._span = tracing.tracer.start_span(name, kind=kind, attributes=said)
        self._spans = [self._span]
        if many and len(new_jobs) <= tracing.most_spans:
            above = trace.set_span_in_context(self._span)
            self._spans = [
                tracing.tracer.start_span(
                    f"create {new.name}", above, SpanKind.PRODUCER, _about(new, "create") | self._where
                )
                for new in new_jobs
            ]
        sent_at = f"{time.time():.3f}"
        made = [tracing.headers(span, sent_at) for span in self._spans]
        self.headers = made if len(made) == len(new_jobs) else made * len(new_jobs)

    def ended(self, ids: Sequence[UUID], error: BaseException | None) -> None:
        """The call ended."""
        if len(self._spans) == len(ids):
            for span, job in zip(self._spans, ids, strict=True):
                span.set_attribute("messaging.message.id", str(job))
        for span in {id(span): span for span in (*self._spans, self._span)}.values():
            if error is not None:
                fail(span, error)
            span.end()
        said = SYSTEM | {"messaging.operation.name": "enqueue", "messaging.operation.type": "send"} | self._where
        if error is not None:
            said["error.type"] = type_of(error)
        self._tracing.operation_duration.record(time.monotonic() - self._began, said)
        for queue in {_queue_of(new) for new in self._new_jobs}:
            count = sum(_queue_of(new) == queue for new in self._new_jobs)
            self._tracing.sent.add(count, said | {"messaging.destination.name": queue})


def _about(new: NewJob, kind: str, *, many: bool = False) -> Attributes:
    said: Attributes = {
        **SYSTEM,
        "messaging.destination.name": _queue_of(new),
        "messaging.operation.name": "enqueue",
        "messaging.operation.type": kind,
    }
    return said if many else said | {"messaging.message.body.size": len(args_of(new).encode())}


def _queue_of(new: NewJob) -> str:
    return new.queue or DEFAULT_QUEUE
