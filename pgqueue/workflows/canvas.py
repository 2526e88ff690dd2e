"""The shapes of work that need no names: one after the other, beside each other, and one after all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from pgqueue.errors import OptionError, UsageError
from pgqueue.job import NewJob
from pgqueue.options import check_integer, check_name
from pgqueue.tasks import Task
from pgqueue.workflows.parts import Chain, Group, Link, Part

T = TypeVar("T")


def chain(*parts: Link) -> Chain:
    """Jobs one after the other: each begins when the one in front has succeeded, and is enqueued all the same.

    `pgqueue.previous` among the arguments of one is what the one in front returned. Parts may be chains, groups and
    workflows, too. `chain(...).enqueue(conn)`.
    """
    for number, part in enumerate(parts):
        _check_part(f"part {number} of a chain", part)
    return Chain(parts)


def group(
    members: Iterable[Link],
    then: Link | None = None,
    *,
    on_complete: NewJob | None = None,
    on_death: NewJob | None = None,
    name: str | None = None,
) -> Group:
    """Jobs beside each other, and one that begins when all have succeeded: once, also of no or one member.

    `members` is a list of jobs or parts, or an iterator of jobs, which are enqueued as it yields them, however many.
    `pgqueue.results` among the arguments of what follows is the list of what they returned, in their order; above 1,000
    or 1 MB it is None, and the task reads `current_job().gathered()`.
    `on_complete` begins when all have ended, however; `on_death` when the first is dead or cancelled.
    """
    if isinstance(members, NewJob | Part | str) or not isinstance(members, Iterable):
        raise UsageError(f"members must be a list or an iterator of jobs, got {members!r:.80}; write group([...])")
    if isinstance(members, list | tuple):
        for number, member in enumerate(members):
            _check_part(f"member {number} of a group", member)
    for option, part in (("then", then), ("on_complete", on_complete), ("on_death", on_death)):
        if part is not None:
            _check_part(option, part)
    check_name("name", name)
    return Group(members, then, on_complete, on_death, name)


def chord(header: Iterable[Link], callback: Link) -> Group:
    """A group and what follows it: `group(header, then=callback)`."""
    return group(header, then=callback)


def map(  # noqa: A001  # as everybody calls it
    task: Task[..., Any],
    items: Iterable[Any],
    then: Link | None = None,
    *,
    on_complete: NewJob | None = None,
    on_death: NewJob | None = None,
    name: str | None = None,
) -> Group:
    """A job of `task` for each item, which is its one argument; else as group()."""
    _check_task("map", task)
    return group(
        (task.job(item) for item in items), then, on_complete=on_complete, on_death=on_death, name=_name(name, task)
    )


def starmap(
    task: Task[..., Any],
    items: Iterable[Sequence[Any]],
    then: Link | None = None,
    *,
    on_complete: NewJob | None = None,
    on_death: NewJob | None = None,
    name: str | None = None,
) -> Group:
    """A job of `task` for each item, which is the list of its arguments; else as group()."""
    _check_task("starmap", task)
    return group(
        (task.job(*item) for item in items), then, on_complete=on_complete, on_death=on_death, name=_name(name, task)
    )


def map_chunks(
    task: Task[..., Any],
    items: Iterable[Any],
    size: int,
    then: Link | None = None,
    *,
    on_complete: NewJob | None = None,
    on_death: NewJob | None = None,
    name: str | None = None,
) -> Group:
    """A job of `task` for each `size` items, a list of which is its one argument; else as group()."""
    _check_task("map_chunks", task)
    return map(task, chunks(items, size), then, on_complete=on_complete, on_death=on_death, name=name)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, and a shorter last one, as they come: nothing is held in memory but one of them."""
    check_integer("size", size, 1, 1_000_000)
    if size is None:
        raise OptionError("size must be a whole number, got None")
    return _chunks(iter(items), size)


def _chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while chunk := list(islice(items, size)):
        yield chunk


def _name(name: str | None, task: Task[..., Any]) -> str:
    return name or task.target.rpartition(":")[2]


def _check_part(where: str, part: object) -> None:
    if not isinstance(part, NewJob | Part):
        advice = "write task.job(...)" if isinstance(part, Task) else "a part is a job, a chain, a group or a Workflow"
        raise UsageError(f"{where} cannot be {part!r:.80}; {advice}")


def _check_task(where: str, task: object) -> None:
    if not isinstance(task, Task):
        raise UsageError(f"{where}() takes a task first, got {task!r:.80}; write group(...) for other jobs")
