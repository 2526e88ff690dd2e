"""What a durable function does in the database, written once for both kinds, see sync_or_async.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pgqueue import encryption
from pgqueue.codec import load
from pgqueue.context import JobContext, tell_advanced
from pgqueue.durable.answers import Approval, Child, approval
from pgqueue.durable.callee import Callee, callee_of, undo_found, undo_named
from pgqueue.durable.children import bounds_of, known_again, prepared
from pgqueue.durable.memos import Memos, Place, branch
from pgqueue.durable.undoing import Undo
from pgqueue.errors import StepUnreadable, UsageError
from pgqueue.job import NewJob
from pgqueue.options import Duration, check_duration, check_name
from pgqueue.outcome import Suspended
from pgqueue.retry import seconds
from pgqueue.store import durable, jobs
from pgqueue.store.asking import telling
from pgqueue.store.durable import ENDED, Kind, Memo, Standing
from pgqueue.store.line import Line
from pgqueue.store.statement import Statement
from pgqueue.tasks import Task
from pgqueue.tasks.calling import Calling

_SWALLOWED = (
    "the workflow was put to sleep, and went on: it swallowed pgqueue.Suspended; write `except Exception`, and let what"
    " is no Exception through"
)


class Core:
    """One attempt of a durable function, `task`'s."""

    def __init__(self, job: JobContext, task: Task[..., Any]) -> None:
        self.job = job
        self.task = task
        self.home = task.target.partition(":")[0]
        self.line: Line = job._database("a workflow")
        self.memos = Memos(job, task)
        self._suspended: Suspended | None = None

    async def recall(self, kind: Kind, name: str) -> tuple[Place, Memo | None]:
        """The next step of this name, and what it came to before, if it did."""
        self.check_awake()
        await self.memos.load(self.line)
        return self.memos.place(kind, name)

    async def keep(self, place: Place, value: Any, callee: Callee | None, undo: str | None = None) -> Any:
        """Remember what a step has come to. Answers what counts, which may be what another attempt has remembered."""
        text = self.memos.written(value, place)
        reader = None if callee is None else callee.reader
        seen = self.memos.again(value, text, place, reader)
        standing = await self.line.run(durable.remember(self.job._claim, *place, text, undo))
        if standing.said == "there":
            return self.memos.read(standing.result, place, reader)
        self.stands(standing)
        return seen

    def stands(self, standing: Standing) -> None:
        """It is remembered, or this attempt is late."""
        self.job._check(standing.said != "late", "step")
        tell_advanced(self.job)

    async def sleep(self, name: str, length: Duration) -> None:
        """Return when it is over; else raise Suspended."""
        check_duration("duration", length, zero=True, infinite=False)
        self._check_alone("sleep()")
        place, memo = await self.recall("sleep", name)
        if memo is not None and memo.is_over:
            return
        standing = await self.line.run(durable.sleep(self.job._claim, place.name, place.nth, seconds(length)))
        self.stands(standing)
        if standing.said == "wait":
            self._suspend(f"{place.name} sleeps", standing)

    async def wait(
        self, name: str, scopes: Sequence[UUID], signal: str, timeout: Duration | None, words: str
    ) -> list[Any] | None:
        """The payloads of these signals, None if they did not come in time; else raise Suspended."""
        check_duration("timeout", timeout, zero=True, infinite=False)
        self._check_alone(words)
        place, memo = await self.recall("wait", name)
        text = None if memo is None else memo.result
        if text is None:
            limit = None if timeout is None else seconds(timeout)
            standing = await self.line.run(durable.wait(self.job._claim, place.name, place.nth, scopes, signal, limit))
            self.stands(standing)
            if standing.said == "wait":
                self._suspend(f"waits for {words}", standing)
            text = standing.result
        try:
            came: list[Any] | None = load(text or "{}").get("got")
        except (ValueError, RecursionError) as error:
            raise StepUnreadable(f"what came of {words} cannot be read: {error!s:.200}", place.name) from None
        return came

    async def event(self, event: str, timeout: Duration | None, default: Any) -> Any:
        """What was sent by this name, or the default where nothing was in time."""
        came = await self.wait(event, [self.job.id], event, timeout, f"the signal {event!r}")
        return (
            default
            if came is None
            else encryption.decrypted(came[0], encryption.Place(encryption.Kind.SIGNAL, self.job.id, event))
        )

    async def ends(self, children: Sequence[Child], timeout: Duration | None) -> list[Any] | None:
        """What the ends of these children say."""
        if not children:
            return []
        words = f"the end of {children[0].target}"
        more = len(children) - 1
        return await self.wait(
            "join", [each.id for each in children], ENDED, timeout, f"{words} and {more} more" if more else words
        )

    async def spawn(self, name: str, new: Sequence[NewJob], *, detached: bool, human: bool = False) -> list[Child]:
        """Bring jobs, once."""
        place, memo = await self.recall("child", name)
        if memo is not None:
            return known_again(memo.result, new)
        coming = prepared(new)
        statement = durable.spawn(
            self.job._claim,
            place.name,
            place.nth,
            coming.texts,
            coming.ids,
            detached=detached,
            human=human,
            bounds=bounds_of(self.task),
        )
        with coming.watched():
            standing = await telling(self.line.run(statement))
        self.stands(standing)
        return known_again(standing.result, new) if standing.said == "there" else coming.children()

    async def approve(self, question: str, about: dict[str, Any], timeout: Duration | None) -> Approval:
        """Ask a human, and wait for the answer."""
        args = {"question": question, "workflow": str(self.job.id), **({"about": about} if about else {})}
        item = NewJob(
            "pgqueue.durable.asking:approval",
            args,
            queue=self.job.queue,
            priority=self.job._claim.priority,
            store_result=True,
        )
        (child,) = await self.spawn(question, [item], detached=False, human=True)
        came = await self.wait(question, [child.id], ENDED, timeout, f"an answer to {question!r}")
        if came is None:
            # Nobody need answer any more.
            await self.line.run(jobs.cancel(child.id))
        return approval(child, None if came is None else came[0])

    def undo_of(self, undo: Any, args: Sequence[Any], kwargs: dict[str, Any], place: Place) -> str:
        """A call that undoes something, as it is stored. Raises TargetError, ArgumentError."""
        given = {"args": list(args), **({"kwargs": kwargs} if kwargs else {})}
        return Undo(undo_named(undo, self.home), self.memos.written(given, place, undo=True)).text()

    async def register(self, undo: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        """Have something undone, if it comes to that."""
        place, memo = await self.recall("undo", name)
        if memo is None:
            await self.keep(place, None, None, self.undo_of(undo, args, kwargs, place))

    async def undos(self) -> list[Memo]:
        """What is to be undone by a job that has taken over what another one remembered: the last first."""
        found = await self.memos.load(self.line, always=True)
        return [memo for memo in reversed(found) if memo.undo is not None]

    def undo_found(self, memo: Memo) -> tuple[Any, list[Any], dict[str, Any]]:
        """The call that undoes this: its function and its arguments, as that reads them. Raises TargetError."""
        undo = Undo.read(memo.undo or "")
        function = undo_found(undo.target, self.home)
        given = self.memos.read(undo.given, memo, None, undo=True)
        args, kwargs = given["args"], given.get("kwargs", {})
        callee = callee_of(function)
        convert = Calling(callee.function, undo.target, int(callee.connection is not None)).conversion
        return function, *(convert(args, kwargs) if convert is not None else (args, kwargs))

    def check_awake(self) -> None:
        """Raise UsageError where the function swallowed what put it to sleep."""
        if self._suspended is not None:
            raise UsageError(_SWALLOWED) from None

    def _suspend(self, why: str, standing: Standing) -> None:
        assert standing.seconds is not None
        self._suspended = Suspended(why, max(0.001, standing.seconds))
        raise self._suspended

    def _check_alone(self, call: str) -> None:
        if branch.get():
            raise UsageError(
                f"a branch of parallel() cannot wait for {call}: the others would be left alone; spawn() children, and"
                " join() them"
            )


def remembering(core: Core, place: Place, text: str, undo: str | None, seen: list[Standing]) -> Statement[bool]:
    """What commits a step's effects with its memo; how it stood is added to `seen`."""
    statement = durable.remember(core.job._claim, *place, text, undo)

    def read(rows: Any) -> bool:
        seen.append(standing := statement.read(rows))
        return standing.said == "done"

    return Statement(statement.sql, statement.params, read)


def named(name: str | None, function: Any) -> str:
    """The name of what is called so, or else as the function is."""
    check_name("name", name)
    return name or str(getattr(function, "__name__", None) or "undo")
