"""The call of a batch: many claims, one call, and an outcome for each of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any
from uuid import UUID

from pgqueue.batch import Batch, BatchItem
from pgqueue.company import judge_together
from pgqueue.context import WorkerPhase, equip, give_line, tell_cancelled, tell_phase
from pgqueue.errors import UsageError
from pgqueue.events import Finished
from pgqueue.instruments import RunningWatch
from pgqueue.job import Claim, each_of
from pgqueue.job_log import Outlet
from pgqueue.judge import judge
from pgqueue.outcome import Ended, Failed, Late, Outcome, Reason, Released, Succeeded, error_report
from pgqueue.store import Statement, together
from pgqueue.store.line import Line
from pgqueue.tasks import BatchTask, Modules, Task
from pgqueue.worker.attempts.arguments import Taken
from pgqueue.worker.attempts.call import Call, prepare, undeclared
from pgqueue.worker.attempts.exceptions import outcome_of
from pgqueue.worker.attempts.finishing import encrypted, finish
from pgqueue.worker.attempts.notices import Notice
from pgqueue.worker.attempts.tracebacks import report

_UNDONE = "its transaction was rolled back, because another job of its batch {}"
# How soon a batch is asked for again whose task is known here as one that runs no batches: another version's.
_STRANGE_DELAY = 1.0


class PartlyFailed(Exception):
    """A transactional batch named jobs that failed: nothing that it wrote may be kept."""


class BatchCall(Call):
    """A batch that can be called. It stands for all of its claims, where a call has one it is the first of them."""

    is_together = True

    def __init__(self, task: Task[..., Any], calls: Sequence[Call], items: Sequence[BatchItem[Any]]) -> None:
        self.batch = Batch(items)
        super().__init__(items[0]._claim, task, [self.batch], {}, items[0])
        self._calls = calls
        # What became of each, and what its own exception was, once the task has returned.
        self._outcomes: list[Outcome] = []
        self.errors: list[BaseException | None] = [None] * len(items)
        self._undone = False
        self._late: frozenset[UUID] = frozenset()

    def tell(self, notice: Notice) -> None:
        """Tell the running task, and with a cancelling all of its jobs."""
        super().tell(notice)
        if notice is Notice.CANCELLED:
            self.tell_some(self.batch.ids)

    def tell_some(self, ids: Collection[UUID]) -> None:
        """Tell these jobs that they were cancelled; the call goes on for the others. From any thread."""
        for item in self.batch:
            if item.id in ids:
                tell_cancelled(item)

    def tell_phase(self, phase: WorkerPhase) -> None:
        """Tell each of its jobs what their worker is about; from any thread."""
        for item in self.batch:
            tell_phase(item, phase)

    def equip(self, line: Line, outlet: Outlet | None) -> None:
        """As for one job, for each of its jobs."""
        for item in self.batch:
            equip(item, line, outlet)

    def take_line(self, line: Line) -> None:
        """As for one job, for each of its jobs."""
        for item in self.batch:
            give_line(item, line)

    def returned(self, value: object) -> Succeeded:
        """The outcome of a task that returned `value`; that of each job is kept. Raises UsageError, PartlyFailed."""
        said = self._said(value)
        self._outcomes = [self._outcome(number, said.get(item.id)) for number, item in enumerate(self.batch)]
        if self.task.transactional and not all(isinstance(each, Succeeded) for each in self._outcomes):
            self._undone = True
            raise PartlyFailed
        return Succeeded()

    @property
    def tenant(self) -> str | None:
        """For whom its own transaction acts: that of all its jobs, if they have one together."""
        tenants = {item.tenant for item in self.batch}
        return tenants.pop() if len(tenants) == 1 else None

    def completion(self, success: Succeeded) -> Statement[bool]:
        """What records the success of all in the task's own transaction."""
        done = [each for each in self._outcomes if isinstance(each, Succeeded)]
        brings = [None if each.brings is None else each.brings.text() for each in done]
        claims = [item._claim for item in self.batch]
        return together.complete(claims, [each.result for each in done], brings, self._note_late)

    @property
    def given_of_each(self) -> list[Taken | None]:
        """The arguments of each job whose own are not as JSON has them."""
        return [call.given for call in self._calls]

    def outcome_of_each(self, whole: Outcome) -> list[tuple[Outcome, bool]]:
        """What became of each job where this became of the call, and whether that may be another one's doing."""
        match whole:
            case _ if self._undone:
                why = Released(why=_UNDONE.format("failed"))
                return [(why if isinstance(each, Succeeded) else each, False) for each in self._outcomes]
            case Succeeded(settled=True):
                done = (each for each in self._outcomes if isinstance(each, Succeeded))
                return [(dataclasses.replace(each, settled=True), False) for each in done]
            case Succeeded():
                return [(each, False) for each in self._outcomes]
            case Late():
                return [self._after_late(item) for item in self.batch]
            case Released(avoid=True):
                # It befell the host once, not a hundred times.
                others = dataclasses.replace(whole, avoid=False)
                return [(whole, False), *[(others, False)] * (len(self.batch) - 1)]
            case _:
                return [(whole, len(self.batch) > 1)] * len(self.batch)

    def _after_late(self, item: BatchItem[Any]) -> tuple[Outcome, bool]:
        if self._late:
            why = _UNDONE.format("had lost its lease")
            return (Late() if item.id in self._late else Released(why=why)), False
        if item.late or self.error is None:
            return Late(), False
        return Failed(report(self.error)), True

    def _said(self, value: object) -> Mapping[UUID, object]:
        match value:
            case None:
                return {}
            case Mapping():
                known = frozenset(self.batch.ids)
                if strange := [key for key in value if key not in known]:
                    raise UsageError(
                        f"{self.task.target} returned something for {strange[0]!r:.80}, which is no id of a job of its"
                        " batch; its keys are the `id` of its items"
                    )
                return value
            case _:
                raise UsageError(
                    f"{self.task.target} runs batches, and returns None or a mapping from job ids to results or"
                    f" exceptions; got {type(value).__name__}"
                )

    def _outcome(self, number: int, value: object) -> Outcome:
        call, item = self._calls[number], self.batch[number]
        call.told = Notice.CANCELLED if item.cancelled else self.told
        try:
            if not isinstance(value, BaseException):
                return call.returned(value)
        except Exception as error:
            value = error
        self.errors[number] = value
        return outcome_of(call, value)

    def _note_late(self, ids: Collection[UUID]) -> None:
        self._late = frozenset(ids)


def prepare_batch(
    claim: Claim,
    tasks: dict[str, Task[..., Any]],
    modules: Modules,
    now: float,
    declared: Container[str] | None = None,
) -> tuple[BatchCall | None, list[Finished]]:
    """The call of these claims, None if there is none to make; and those that cannot be called, each settled alone.

    Its timeout begins at monotonic() time `now`.
    """
    calls: list[Call] = []
    items: list[BatchItem[Any]] = []
    alone: list[Finished] = []
    for each in each_of(claim):
        call = prepare(each, tasks, modules, now)
        found = (undeclared(call, declared) or _item_of(call)) if isinstance(call, Call) else call
        if isinstance(call, Call) and isinstance(found, BatchItem):
            calls.append(call)
            items.append(found)
        elif not isinstance(found, BatchItem):
            alone.append(finish(each, found, call.task if isinstance(call, Call) else None, now))
    if not items:
        return None, alone
    deadline = min((item.deadline for item in items if item.deadline is not None), default=None)
    for item, call in zip(items, calls, strict=True):
        # What a task says of its job, as that it is late, is asked of the call.
        item.deadline, call.context = deadline, item
    return BatchCall(calls[0].task, calls, items), alone


def finish_batch(call: BatchCall, outcome: Outcome, began: float) -> list[Finished]:
    """The settlements of a batch whose call had this outcome; it began at monotonic() time `began`, and ends now."""
    task, outcomes = call.task, call.outcome_of_each(outcome)
    # One error tells of all of its jobs.
    is_encrypted = any(given is not None and given.encrypted for given in call.given_of_each)
    finished = []
    for item, given, (each, shared) in zip(call.batch, call.given_of_each, outcomes, strict=True):
        plain = None if given is None else given._replace(encrypted=False)
        done = finish(item._claim, each, task, began, plain, judge_together if shared else judge)
        done = _without_secrets(call, done)
        finished.append(encrypted(done) if is_encrypted else done)
    return finished


def watched_to_the_end(call: BatchCall, finished: list[Finished], watches: Sequence[RunningWatch]) -> list[Finished]:
    """Tell who looked on, the last who began first, how each job ended; answers the same, as they want it noted."""
    if not watches:
        return finished
    # What ended the whole call is told once.
    errors = [call.errors[0] or call.error, *call.errors[1:]]
    ended = zip(reversed(watches), finished, errors, strict=True)
    return [watch.ended(done, error) for watch, done, error in ended]


def _item_of(call: Call) -> BatchItem[Any] | Outcome:
    """The job as its task is given it; the outcome, if its arguments do not fit."""
    task, context = call.task, call.context
    if not isinstance(task, BatchTask):
        why = "it was claimed for a batch, and its task runs none here"
        return Released(_STRANGE_DELAY, started=False, why=why)
    if (misfit := task.misfit(call.args, call.kwargs)) is not None:
        return Ended(Reason.UNBINDABLE, error_report("Unbindable", misfit))
    try:
        args = task.arranged(call.args, call.kwargs)
    except BaseException as error:  # The class of its items is the user's; one bad job must not end the others.
        return Failed(report(error))
    return BatchItem(context, call.claim, args)


def _without_secrets(call: BatchCall, done: Finished) -> Finished:
    """What may tell of another job's arguments, without what is sensitive in those."""
    said = done.settlement
    if call.task.secrecy is None or said.error is said.traceback is None:
        return done
    error, traceback = (None if text is None else call.batch.hide(text) for text in (said.error, said.traceback))
    return done._replace(settlement=said._replace(error=error, traceback=traceback))
