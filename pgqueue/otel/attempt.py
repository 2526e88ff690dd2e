"""The span of an attempt: part of the trace of who enqueued its job, or linked to that and to the attempt before."""

from __future__ import annotations

import time

from opentelemetry import context, trace
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode

from pgqueue.context import JobContext
from pgqueue.encryption import in_words
from pgqueue.events import Finished
from pgqueue.instruments import Headers
from pgqueue.job import Claim
from pgqueue.otel.spans import BAGGAGE, SENT_AT, SYSTEM, TRACE, Attributes, Tracing, fail_as_told
from pgqueue.outcome import Move

# A first attempt that begins sooner after its enqueue is part of that trace; others begin one, and link to it.
SAME_TRACE_SECONDS = 3_600.0
# The traceparent of the attempt before.
BEFORE = "pgqueue-attempt-before"


class Attempt:
    """One attempt: its span is the current one while its task runs."""

    def __init__(self, tracing: Tracing, job: JobContext, claim: Claim, headers: Headers) -> None:
        self._tracing = tracing
        self._job = job
        self._began = time.monotonic()
        self._about: Attributes = {
            **SYSTEM,
            "messaging.destination.name": claim.queue,
            "messaging.operation.name": "run",
            "messaging.operation.type": "process",
        }
        caused = TRACE.extract(headers, context.Context())
        cause = trace.get_current_span(caused).get_span_context()
        is_part = cause.is_valid and claim.attempt == 1 and _is_recent(headers)
        above = BAGGAGE.extract(headers, caused if is_part else context.Context())
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
        if settlement.move in (Move.RETRY, Move.END, Move.FALL_BACK) and settlement.outcome != "cancelled":
            kind = settlement.error_type or settlement.outcome
            if error is not None:
                # As it is stored, without what nobody is to see.
                fail_as_told(self._span, kind, *map(_shown, (settlement.error, settlement.traceback)))
            else:
                self._span.set_attribute("error.type", kind)
                self._span.set_status(StatusCode.ERROR, in_words(settlement.error or kind))
            self._about["error.type"] = kind
        context.detach(self._token)
        self._span.end()
        self._tracing.process_duration.record(time.monotonic() - self._began, self._about)
        noted: dict[str, str] = {}
        TRACE.inject(noted, trace.set_span_in_context(self._span))
        return {BEFORE: noted["traceparent"]} if "traceparent" in noted else {}


def _is_recent(headers: Headers) -> bool:
    try:
        return time.time() - float(headers[SENT_AT]) < SAME_TRACE_SECONDS
    except (KeyError, ValueError):
        return False


def _span_before(headers: Headers) -> SpanContext | None:
    """The span of the attempt before, which notes itself in the headers."""
    before = headers.get(BEFORE)
    if before is None:
        return None
    return trace.get_current_span(TRACE.extract({"traceparent": before}, context.Context())).get_span_context()


def _shown(text: str | None) -> str | None:
    return None if text is None else in_words(text)
