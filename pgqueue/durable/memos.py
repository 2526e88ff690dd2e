"""What one attempt of a durable function knows of its steps: their names, and what they came to before.

Loaded with the first step, all at once; not at all in the first attempt, which has no memos. A name that is used again,
as in a loop, is `name#2`, and so on: by how often, and not by where, so that code between the steps may change.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple
from uuid import UUID

from pgqueue import encryption
from pgqueue.arguments.mismatch import Mismatch, Reader, said
from pgqueue.codec import encode, load
from pgqueue.context import JobContext
from pgqueue.errors import ArgumentError, CodecError, StepUnreadable, UsageError
from pgqueue.options import check_name
from pgqueue.sealing import opened, sealed
from pgqueue.store import durable
from pgqueue.store.durable import MOST_STEPS, Kind, Memo
from pgqueue.store.line import Line
from pgqueue.tasks import Task

# Bytes of what a step comes to.
LARGEST = 2**20
# Which branch of parallel() runs here; the branches round it first.
branch: ContextVar[tuple[int, ...]] = ContextVar("pgqueue.branch", default=())
# Behind the name of a workflow: the task that undoes what it has done.
ROLLBACK = "__rollback"
# As JSON has them, whatever reads them.
_PLAIN = (type(None), bool, int, str)


class Place(NamedTuple):
    """A step of one attempt."""

    kind: Kind
    name: str
    nth: int


def step_detail(kind: str, name: str, *, undo: bool = False) -> str:
    """Which step it is of, or which step's undoing."""
    return f"{'undo of ' if undo else ''}{kind} {name}"


class Memos:
    """Those of one attempt; used by several threads in parallel()."""

    def __init__(self, job: JobContext, task: Task[..., Any]) -> None:
        self._job = job
        self._codec = task.bounds.codec
        # What undoes a job has taken over what that remembered.
        undone = job.args.get("job") if task.target.endswith(ROLLBACK) and isinstance(job.args, dict) else None
        self._owners = (job.id, *((UUID(undone),) if isinstance(undone, str) else ()))
        self._known: dict[tuple[str, str], Memo] | None = {} if job._claim.claim == 1 else None
        self._used: dict[tuple[str, str], tuple[int, ...]] = {}
        self._times: dict[tuple[str, str], int] = {}
        self._nth = 0
        # Guards what stands above it.
        self._lock = threading.Lock()

    async def load(self, line: Line, *, always: bool = False) -> Sequence[Memo]:
        """Read what the job remembers, if that has not been done; in order."""
        if self._known is None or always:
            found = await line.run(durable.memos(self._job.id))
            self._known = {(memo.kind, memo.name): memo for memo in found}
            self._nth = max((memo.nth for memo in found), default=0)
        return list(self._known.values())

    def place(self, kind: Kind, name: str) -> tuple[Place, Memo | None]:
        """The next step of this name, and what it came to, if it has been taken. Raises UsageError, OptionError."""
        check_name(f"the name of a {kind}", name)
        with self._lock:
            key = self._named(kind, name)
            memo = None if self._known is None else self._known.get(key)
            if memo is not None:
                return Place(kind, key[1], memo.nth), memo
            self._nth += 1
            if self._nth > MOST_STEPS:
                raise UsageError(
                    f"a workflow may have {MOST_STEPS:,} steps, and {key[1]!r} is one more; let children take some of"
                    " them, or take them together"
                )
            return Place(kind, key[1], self._nth), None

    def written(self, value: object, place: Place, *, undo: bool = False) -> str:
        """What a step came to, as it is stored. Raises ArgumentError, EncryptionError, and what its codec raises."""
        what = f"step {place.name!r}"
        text = encode(value if self._codec is None else sealed(self._codec, value, what), what)
        if (size := len(text.encode())) > LARGEST:
            raise ArgumentError(
                f"{what} came to {size / 2**20:.1f} MB of JSON, and 1 MB is remembered; keep what is large in a table,"
                " and return its id"
            )
        return self._job._kept(encryption.Kind.STEP, text, step_detail(place.kind, place.name, undo=undo))

    def read(self, text: str | None, place: Place | Memo, reader: Reader | None, *, undo: bool = False) -> Any:
        """What was stored of a step, as its function returned it. Raises StepUnreadable."""
        name = place.name
        try:
            value = None if text is None else opened(self._decrypted(load(text), place, undo))
            return value if reader is None or value is None else reader(value)
        except (Mismatch, RecursionError) as error:
            shown = not self._job.is_sensitive
            raise StepUnreadable(
                f"what is remembered of step {name!r} is not what its function returns now: "
                f"{said(error, 'result', shown=shown)}; give the step another name, or fork the job before it"
                f" (pgqueue fork {self._job.id} {name})",
                name,
            ) from None
        except (CodecError, ValueError) as error:
            raise StepUnreadable(f"what is remembered of step {name!r} cannot be read: {error}", name) from error

    def again(self, value: Any, text: str, place: Place, reader: Reader | None) -> Any:
        """What just came of a step, as later attempts will read it: the first one sees nothing else."""
        return value if reader is None and type(value) in _PLAIN else self.read(text, place, reader)

    def _decrypted(self, value: Any, place: Place | Memo, undo: bool) -> Any:
        if encryption.key_id_of(value) is None:
            return value
        owner = encryption.owner_of(value)
        detail = step_detail(place.kind, place.name, undo=undo)
        return encryption.decrypted(
            value, encryption.Place(encryption.Kind.STEP, owner if owner in self._owners else self._job.id, detail)
        )

    def _named(self, kind: Kind, name: str) -> tuple[str, str]:
        here = branch.get()
        times = self._times.get((kind, name), 0)
        if times and self._used[kind, name] != here:
            raise UsageError(
                f"two branches of parallel() use the name {name!r}, and which comes first is chance; give each a name"
                " of its own"
            )
        while True:
            times += 1
            key = (kind, name if times == 1 else f"{name}#{times}")
            if key not in self._used:
                break
        self._times[kind, name] = times
        self._used[key] = here
        return key
