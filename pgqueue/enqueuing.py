"""What is done to every job on its way into the database, where it is enqueued; and context that travels with it.

    @pgqueue.on_enqueue
    def name_user(call: pgqueue.Enqueuing) -> None:
        call.add_labels(user=current_user.get())

None of it costs anything where nobody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID

from pgqueue import instruments
from pgqueue.context import JobContext
from pgqueue.errors import OptionError, UsageError
from pgqueue.instruments import Headers
from pgqueue.job import Claim, NewJob

T = TypeVar("T")
# In front of the names of variables, among the headers of others.
PREFIX = "context-"
# Of the headers of one job: what others add must fit beside them.
LONGEST = 4_000


@dataclass(slots=True)
class Enqueuing:
    """One job on its way: `job` may be replaced by another, `headers` are texts by name that travel with it."""

    job: NewJob
    headers: dict[str, str] = field(default_factory=dict)

    def add_labels(self, **labels: str) -> None:
        """Add labels; those that the call said itself stay."""
        self.job = replace(self.job, labels={**labels, **(self.job.labels or {})})


OnEnqueue = Callable[[Enqueuing], object]
OnEnqueueT = TypeVar("OnEnqueueT", bound=OnEnqueue)

registered: list[OnEnqueue] = []


def on_enqueue(hook: OnEnqueueT) -> OnEnqueueT:
    """Call it for each job that this process enqueues, one or many, in the thread and context of the call.

    What it raises the call raises, and nothing is sent.
    """
    if not callable(hook):
        raise OptionError(f"on_enqueue takes a function of an Enqueuing, got {hook!r:.80}")
    if hook not in registered:
        registered.append(hook)
    return hook


def forget(hook: OnEnqueue) -> None:
    """Call it no more."""
    if hook in registered:
        registered.remove(hook)


def adjusted(new_jobs: Sequence[NewJob]) -> tuple[list[NewJob], list[Headers]]:
    """The jobs as those that are registered want them, and the headers that they give them."""
    calls = [Enqueuing(new) for new in new_jobs]
    for hook in tuple(registered):
        for call in calls:
            before = call.job.target
            hook(call)
            if not isinstance(call.job, NewJob) or call.job.target != before:
                raise UsageError(f"{hook!r:.80} must leave a NewJob of the same target, got {call.job!r:.80}")
    for call in calls:
        if not all(isinstance(text, str) for pair in call.headers.items() for text in pair):
            raise OptionError(f"headers must map texts to texts, got {call.headers!r:.80}")
        if (size := sum(len(name) + len(text) for name, text in call.headers.items())) > LONGEST:
            raise OptionError(f"headers may be {LONGEST:,} characters long together, got {size:,}")
    return [call.job for call in calls], [call.headers for call in calls]


def travels(
    variable: ContextVar[T],
    *,
    write: Callable[[T], str] = str,
    read: Callable[[str], Any] = str,
) -> ContextVar[T]:
    """Have a context variable travel with jobs: what it is where one is enqueued, it is while the job runs.

    `write` makes a text of its value and `read` the value again; name it in a module that producers and workers
    import. What it is not set to does not travel.
    """
    if not isinstance(variable, ContextVar):
        raise OptionError(f"travels takes a contextvars.ContextVar, got {variable!r:.80}")
    _carrier.variables[variable.name] = _Travelling(variable, write, read)
    instruments.install(_carrier)
    return variable


def stays(variable: ContextVar[Any]) -> None:
    """Have it travel no more."""
    _carrier.variables.pop(variable.name, None)
    if not _carrier.variables:
        instruments.remove(_carrier)


@dataclass(frozen=True, slots=True)
class _Travelling:
    variable: ContextVar[Any]
    write: Callable[[Any], str]
    read: Callable[[str], Any]


class _Carrier:
    """Looks on at both ends: notes the variables where jobs are enqueued, and sets them where they run."""

    def __init__(self) -> None:
        self.variables: dict[str, _Travelling] = {}

    def sending(self, new_jobs: Sequence[NewJob], server: tuple[str, int] | None) -> _Noted | None:
        """A call that enqueues begins."""
        found = {
            PREFIX + name: each.write(value)
            for name, each in self.variables.items()
            if (value := each.variable.get(_UNSET)) is not _UNSET
        }
        return _Noted([found] * len(new_jobs)) if found else None

    def running(self, job: JobContext, claim: Claim, headers: Headers) -> None:
        """An attempt begins: in a context of its own, so that nothing is to be undone."""
        for name, each in self.variables.items():
            if (text := headers.get(PREFIX + name)) is not None:
                each.variable.set(each.read(text))


class _Noted:
    """What travels with each job of one call."""

    def __init__(self, headers: Sequence[Headers]) -> None:
        self.headers = headers

    def ended(self, ids: Sequence[UUID], error: BaseException | None) -> None:
        """Nothing is open."""


_UNSET: Any = object()
_carrier = _Carrier()
