"""OpenTelemetry: one trace from who enqueued a job to what its task does. Extra `otel`; the API alone.

`instrument()` in a process that enqueues, and in the modules of the worker's app: there it holds for what runs jobs.
Who caused a job travels in its row (`headers`): traceparent, tracestate, and of the baggage what is allowed.

The names are those of the semantic conventions 1.44 for messaging, which are still "development": they stand here and
nowhere else. A span's name has the target in place of the queue, which tells more.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from pgqueue import instruments, logs
from pgqueue.codec import encode_args
from pgqueue.context import JobContext
from pgqueue.errors import UsageError
from pgqueue.events import Finished
from pgqueue.instruments import Headers
from pgqueue.job import DEFAULT_QUEUE, Claim, NewJob
from pgqueue.outcome import Move
from pgqueue.version import __version__

try:
    from opentelemetry import baggage, context, metrics, trace
    from opentelemetry.baggage.propagation import W3CBaggagePropagator
    from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as missing:
    raise UsageError("tracing needs the OpenTelemetry API; run `pip install 'pgqueue-postgres[otel]'`") from missing

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

# Of a call that enqueues many, each job has a span of its own up to so many.
MOST_SPANS = 100
# A first attempt that begins sooner after its enqueue is part of that trace; others begin one, and link to it.
SAME_TRACE_SECONDS = 3_600.0
# As the conventions advise for durations, seconds.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

_TRACE, _BAGGAGE = TraceContextTextMapPropagator(), W3CBaggagePropagator()
# When the job was enqueued, seconds since 1970 by the clock of who did: a header of ours.
_SENT_AT = "pgqueue-sent-at"
_installed: list[_Tracing] = []

Attributes = dict[str, str | int | float]


def instrument(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    baggage_keys: Collection[str] = (),
    most_spans: int = MOST_SPANS,
) -> None:
    """Trace enqueues and attempts in this process from now on; a second call changes nothing.

    With the global providers, unless others are given. Of the baggage `baggage_keys` travel with jobs; it is stored in
    the database, and read by whoever may read jobs. Of a call that enqueues more than `most_spans` jobs the call has
    the only span.
    """
    if not _installed:
        _installed.append(_Tracing(tracer_provider, meter_provider, frozenset(baggage_keys), most_spans))
        instruments.install(_installed[0])
        logs.also_tell(_span_fields)


def uninstrument() -> None:
    """Trace no more."""
    while _installed:
        instruments.remove(_installed.pop())


class _Tracing:
    """The instrument: begins spans where jobs are enqueued and where they run."""

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

    def sending(self, new_jobs: Sequence[NewJob], server: tuple[str, int] | None) -> _Sending | None:
        """A call that enqueues begins."""
        return _Sending(self, new_jobs, server) if new_jobs else None

    def running(self, job: JobContext, claim: Claim, headers: Headers) -> _Attempt:
        """An attempt begins."""
        return _Attempt(self, job, claim, headers)

    def headers(self, span: Span, sent_at: str) -> Headers:
        """What travels with a job of this span."""
        found: dict[str, str] = {}
        _TRACE.inject(found, trace.set_span_in_context(span))
        kept = context.Context()
        for key, value in baggage.get_all().items():
            if key in self._baggage_keys:
                kept = baggage.set_baggage(key, value, kept)
        _BAGGAGE.inject(found, kept)
        return {**found, _SENT_AT: sent_at} if found else found


class _Sending:
    """One call that enqueues: a span, and one below it for each of several jobs."""

    def __init__(self, tracing: _Tracing, new_jobs: Sequence[NewJob], server: tuple[str, int] | None) -> None:
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
                _fail(span, error)
            span.end()
        said = SYSTEM | {"messaging.operation.name": "enqueue", "messaging.operation.type": "send"} | self._where
        if error is not None:
            said["error.type"] = _type_of(error)
        self._tracing.operation_duration.record(time.monotonic() - self._began, said)
        for queue in {_queue_of(new) for new in self._new_jobs}:
            count = sum(_queue_of(new) == queue for new in self._new_jobs)
            self._tracing.sent.add(count, said | {"messaging.destination.name": queue})


class _Attempt:
    """One attempt: its span is the current one while its task runs."""

    def __init__(self, tracing: _Tracing, job: JobContext, claim: Claim, headers: Headers) -> None:
        self._tracing = tracing
        self._began = time.monotonic()
        self._about: Attributes = {
            **SYSTEM,
            "messaging.destination.name": claim.queue,
            "messaging.operation.name": "run",
            "messaging.operation.type": "process",
        }
        caused = _TRACE.extract(headers, context.Context())
        cause = trace.get_current_span(caused).get_span_context()
        is_part = cause.is_valid and claim.attempt == 1 and _is_recent(headers)
        above = _BAGGAGE.extract(headers, caused if is_part else context.Context())
        before = _span_before(headers)
        links = [Link(each) for each in (cause if not is_part else None, before) if each is not None and each.is_valid]
        self._span = tracing.tracer.start_span(
            f"run {claim.target}",
            above,
            SpanKind.CONSUMER,
            {
                **self._about,
                "messaging.message.id": str(claim.id),
                "messaging.message.body.size": len(claim.args.encode()),
                "code.function.name": claim.target.replace(":", "."),
                "pgqueue.attempt": claim.attempt,
                "pgqueue.wait": max(0.0, round(time.time() - claim.run_at.timestamp(), 3)),
                "pgqueue.worker.id": str(claim.worker),
            },
            links,
        )
        self._token = context.attach(trace.set_span_in_context(self._span, above))
        tracing.consumed.add(1, self._about)

    def ended(self, done: Finished, error: BaseException | None) -> Headers:
        """The attempt ended; the next one links to it."""
        settlement = done.settlement
        self._span.set_attribute("pgqueue.outcome", settlement.outcome)
        if settlement.move in (Move.RETRY, Move.END) and settlement.outcome != "cancelled":
            if error is not None:
                _fail(self._span, error)
            else:
                self._span.set_attribute("error.type", settlement.error_type or settlement.outcome)
                self._span.set_status(StatusCode.ERROR, settlement.error or settlement.outcome)
            self._about["error.type"] = settlement.error_type or settlement.outcome
        context.detach(self._token)
        self._span.end()
        self._tracing.process_duration.record(time.monotonic() - self._began, self._about)
        noted: dict[str, str] = {}
        _TRACE.inject(noted, trace.set_span_in_context(self._span))
        return {BEFORE: noted["traceparent"]} if "traceparent" in noted else {}


SYSTEM: Attributes = {"messaging.system": "pgqueue"}


def _about(new: NewJob, kind: str, *, many: bool = False) -> Attributes:
    said: Attributes = {
        **SYSTEM,
        "messaging.destination.name": _queue_of(new),
        "messaging.operation.name": "enqueue",
        "messaging.operation.type": kind,
    }
    return said if many else said | {"messaging.message.body.size": len(encode_args(new.args).encode())}


def _queue_of(new: NewJob) -> str:
    return new.queue or DEFAULT_QUEUE


def _is_recent(headers: Headers) -> bool:
    try:
        return time.time() - float(headers[_SENT_AT]) < SAME_TRACE_SECONDS
    except (KeyError, ValueError):
        return False


def _fail(span: Span, error: BaseException) -> None:
    span.record_exception(error)
    span.set_attribute("error.type", _type_of(error))
    span.set_status(StatusCode.ERROR, str(error)[:500])


def _type_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _span_before(headers: Headers) -> SpanContext | None:
    """The span of the attempt before, which notes itself in the headers."""
    before = headers.get(BEFORE)
    if before is None:
        return None
    return trace.get_current_span(_TRACE.extract({"traceparent": before}, context.Context())).get_span_context()


# The traceparent of the attempt before.
BEFORE = "pgqueue-attempt-before"


def _span_fields() -> Mapping[str, object]:
    """The span that is current where a line is logged."""
    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return {}
    return {"trace_id": f"{found.trace_id:032x}", "span_id": f"{found.span_id:016x}"}
