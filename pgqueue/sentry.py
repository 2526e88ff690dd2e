"""Sentry: errors of jobs that ended badly, and one trace from who enqueued a job to what it does. Extra `sentry`.

    sentry_sdk.init(..., integrations=[PgqueueIntegration()])

where jobs are enqueued, and in a module of the worker's app, where they run. What happens to a job outside of its task
(its process was killed, its worker vanished) is not told here: the task's process is not there to tell it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Literal
from uuid import UUID

from pgqueue import instruments
from pgqueue.codec import args_of, load
from pgqueue.context import JobContext, as_shown
from pgqueue.errors import OptionError, UsageError
from pgqueue.events import Finished
from pgqueue.instruments import Headers
from pgqueue.job import DEFAULT_QUEUE, Claim, NewJob
from pgqueue.leaving_out import HIDDEN
from pgqueue.outcome import Move, Reason, Settlement
from pgqueue.redaction import Redaction, echoing
from pgqueue.sealed import codec_of
from pgqueue.server_details import without_details
from pgqueue.tasks import registered

try:
    import sentry_sdk
    from sentry_sdk.integrations import Integration
    from sentry_sdk.tracing import TransactionSource
    from sentry_sdk.utils import event_from_exception
except ImportError as missing:
    raise UsageError("this needs sentry-sdk; run `pip install 'pgqueue-postgres[sentry]'`") from missing

ORIGIN = "auto.queue.pgqueue"
# Of arguments, where they may be sent at all.
MOST_ARGUMENTS = 8_192
_SLUG = re.compile(r"[^a-z0-9_-]+")

When = Literal["dead", "last", "every"]


class PgqueueIntegration(Integration):
    """Reports errors of jobs, and traces them.

    `report` says when: the job is `dead`; it is dead because this was its `last` attempt; or at `every` failure. Never
    of errors that a task expects: `@task(expected=(...))`. With `crons` the jobs of schedules check in, under the
    schedule's name: late after `checkin_margin` minutes, failed after `max_runtime` minutes.
    """

    identifier = "pgqueue"
    origin = ORIGIN

    def __init__(
        self,
        report: When = "dead",
        *,
        crons: bool = False,
        checkin_margin: int = 5,
        max_runtime: int = 60,
    ) -> None:
        if report not in ("dead", "last", "every"):
            raise OptionError(f"report must be dead, last or every, got {report!r:.80}")
        self.report = report
        self.crons = crons
        self.checkin_margin = checkin_margin
        self.max_runtime = max_runtime

    @staticmethod
    def setup_once() -> None:
        """Called by sentry_sdk.init()."""
        instruments.install(_instrument)


class _Instrument:
    """Asks at each call whether the client of this moment has the integration."""

    def sending(self, new_jobs: Sequence[NewJob], server: tuple[str, int] | None) -> _Sending | None:
        """A call that enqueues begins."""
        return _Sending(new_jobs) if new_jobs and _integration() is not None else None

    def running(self, job: JobContext, claim: Claim, headers: Headers) -> _Attempt | None:
        """An attempt begins."""
        found = _integration()
        return None if found is None else _Attempt(found, job, claim, headers)


_instrument = _Instrument()


class _Sending:
    """A span of a call that enqueues, where one is open above it; all its jobs go on with that trace."""

    def __init__(self, new_jobs: Sequence[NewJob]) -> None:
        first = new_jobs[0]
        name = first.name if len(new_jobs) == 1 else f"{len(new_jobs)} jobs"
        self._span = sentry_sdk.start_span(op="queue.publish", name=name, origin=ORIGIN)
        self._span.set_data("messaging.system", "pgqueue")
        self._span.set_data("messaging.destination.name", first.queue or DEFAULT_QUEUE)
        if len(new_jobs) == 1:
            self._span.set_data("messaging.message.body.size", len(args_of(first).encode()))
        scope = sentry_sdk.get_current_scope()
        trace, baggage = self._span.to_traceparent(), scope.get_baggage()
        found = {"sentry-trace": trace} | ({"baggage": baggage.serialize()} if baggage is not None else {})
        self.headers = [found] * len(new_jobs)

    def ended(self, ids: Sequence[UUID], error: BaseException | None) -> None:
        """The call ended."""
        if len(ids) == 1:
            self._span.set_data("messaging.message.id", str(ids[0]))
        self._span.set_status("ok" if error is None else "internal_error")
        self._span.finish()


class _Attempt:
    """A transaction of an attempt, in a scope of its own."""

    def __init__(self, integration: PgqueueIntegration, job: JobContext, claim: Claim, headers: Headers) -> None:
        self._integration = integration
        self._job = job
        self._claim = claim
        self._stack = ExitStack()
        self._scope = self._stack.enter_context(sentry_sdk.isolation_scope())
        self._scope.set_transaction_name(claim.target, source=TransactionSource.TASK)
        for name, value in (
            ("job", str(claim.id)),
            ("target", claim.target),
            ("queue", claim.queue),
            ("attempt", str(claim.attempt)),
        ):
            self._scope.set_tag(f"pgqueue.{name}", value)
        self._scope.add_event_processor(self._without_secrets)
        begun = sentry_sdk.continue_trace(
            dict(headers), op="queue.task.pgqueue", name=claim.target, source=TransactionSource.TASK, origin=ORIGIN
        )
        self._transaction = self._stack.enter_context(sentry_sdk.start_transaction(begun))
        self._span = self._stack.enter_context(
            sentry_sdk.start_span(op="queue.process", name=claim.target, origin=ORIGIN)
        )
        for name, data in (
            ("messaging.system", "pgqueue"),
            ("messaging.message.id", str(claim.id)),
            ("messaging.destination.name", claim.queue),
            ("messaging.message.body.size", len(claim.args.encode())),
            ("messaging.message.receive.latency", max(0.0, (time.time() - claim.run_at.timestamp()) * 1000)),
            ("messaging.message.retry.count", claim.attempt - 1),
        ):
            self._span.set_data(name, data)
        if claim.attempt == 1:
            self._check_in("in_progress")

    def ended(self, done: Finished, error: BaseException | None) -> None:
        """The attempt ended."""
        settlement = done.settlement
        failed = settlement.move in (Move.RETRY, Move.END, Move.FALL_BACK) and settlement.outcome != "cancelled"
        try:
            if failed and error is not None and self._is_to_be_reported(settlement, error):
                self._capture(settlement, error)
            self._span.set_status("internal_error" if failed else "ok")
            self._transaction.set_status("internal_error" if failed else "ok")
        finally:
            self._stack.close()
        if settlement.move in (Move.SUCCEED, Move.BRING, Move.NOTHING):
            self._check_in("ok", done.elapsed)
        elif settlement.move is Move.END:
            self._check_in("error", done.elapsed)

    def _without_secrets(self, event: Any, hint: Any) -> Any:
        """Whatever is sent while the job runs; the variables of frames hold arguments under any name."""
        raised = (hint or {}).get("exc_info") or (None, None, None)

        def shown(text: str) -> str:
            return as_shown(self._job, without_details(text, raised[1]))

        if self._job.is_sensitive:
            return echoing(event, shown, leaving_out=("vars",))
        # What is sent of no error says what the integrations of the application make of it.
        return echoing(event, shown) if "exception" in event or "logentry" in event else event

    def _is_to_be_reported(self, settlement: Settlement, error: BaseException) -> bool:
        task = registered(self._claim.target)
        if task is not None and isinstance(error, tuple(task.bounds.expected)):
            return False
        match self._integration.report:
            case "every":
                return True
            case "last":
                return settlement.reason == Reason.EXHAUSTED
            case _:
                return settlement.reason is not None

    def _capture(self, settlement: Settlement, error: BaseException) -> None:
        client = sentry_sdk.get_client()
        event, hint = event_from_exception(
            error, client_options=client.options, mechanism={"type": "pgqueue", "handled": False}
        )
        if self._job.is_encrypted:
            event = _without_words(event)
        told: dict[str, Any] = {"outcome": settlement.outcome, "reason": settlement.reason}
        if _may_send_arguments(client):
            told["args"] = self._arguments()
        event.setdefault("contexts", {})["pgqueue"] = told
        if settlement.cause is not None:
            # So that its groups are ours.
            event["fingerprint"] = ["pgqueue", settlement.cause]
            self._scope.set_tag("pgqueue.cause", settlement.cause)
        sentry_sdk.capture_event(event, hint=hint)

    def _arguments(self) -> str:
        """Arguments as they may be sent, at any depth."""
        if self._job.is_encrypted or codec_of(load(self._claim.args)) is not None:
            # What was sealed is nobody else's to read.
            return HIDDEN
        task = registered(self._claim.target)
        said = () if task is None or task.secrecy is None else (task.secrecy,)
        redaction = Redaction(declared={self._claim.target: said})
        text = json.dumps(redaction.of_value(self._claim.target, self._job.args)[0], ensure_ascii=False, default=str)
        return text if len(text) <= MOST_ARGUMENTS else f"{text[:MOST_ARGUMENTS]}..."

    def _check_in(self, status: str, seconds: float | None = None) -> None:
        schedule = self._job.labels.get("schedule")
        if not self._integration.crons or schedule is None:
            return
        task = registered(self._claim.target)
        cron = None if task is None or task.timing is None else task.timing.cron
        config: Any = None
        if cron is not None:
            config = {
                "schedule": {"type": "crontab", "value": cron},
                "timezone": task.timing.timezone if task and task.timing and task.timing.timezone else "UTC",
                "checkin_margin": self._integration.checkin_margin,
                "max_runtime": self._integration.max_runtime,
            }
        sentry_sdk.crons.capture_checkin(
            # One check-in a job, however many attempts it takes.
            monitor_slug=_SLUG.sub("-", schedule.lower()).strip("-")[:50],
            check_in_id=self._claim.id.hex,
            status=status,
            duration=seconds,
            monitor_config=config,
        )


def _without_words(event: Any) -> Any:
    """Of an encrypted job: where its error came up, and nothing of what that says."""
    for each in event.get("exception", {}).get("values", ()):
        each["value"] = HIDDEN
    return echoing(event, lambda text: text, leaving_out=("vars",))


def _integration() -> PgqueueIntegration | None:
    found: PgqueueIntegration | None = sentry_sdk.get_client().get_integration(PgqueueIntegration)
    return found


def _may_send_arguments(client: Any) -> bool:
    """As the client says of queues in `data_collection`, or, in older words, by `send_default_pii`."""
    said = client.options.get("data_collection") or {}
    return bool(said.get("queues") if said.get("provided_by_user") else client.should_send_default_pii())
