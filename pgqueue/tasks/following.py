"""Follow-ups: jobs that are enqueued at the end of another one, and what may be said of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pgqueue.codec import encode_args
from pgqueue.errors import ArgumentError, OptionError
from pgqueue.job import Args, FollowUps, JobOptions, NewJob, Target, check_dead_to, check_follow_ups
from pgqueue.options import check_integer
from pgqueue.routes import routed
from pgqueue.sealed import ENDED
from pgqueue.store.spawning import AWAITED, follow_ups_written
from pgqueue.tasks.bounds import Bounds

# What each end has to decide anew.
_NOT_SAID = ("job_id", "run_at")


class Callee(Protocol):
    """What is asked of a task that follows."""

    options: JobOptions
    bounds: Bounds

    def misfit(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        """How arguments do not fit."""

    def by_name(self, args: Sequence[Any]) -> dict[str, Any]:
        """Positional arguments by the names of their parameters."""

    def kept(self, new: NewJob) -> NewJob:
        """The job with its limit key, and its arguments as they are kept."""


# The name of a target, and its task, if that is known here. Raises TargetError.
Find = Callable[[Target], tuple[str, Callee | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """What @task(...) says of the jobs that its jobs bring: which follow their ends, how many, and how deep."""

    on_success: FollowUps | None = None
    on_failure: FollowUps | None = None
    on_end: FollowUps | None = None
    max_depth: int | None = None
    max_children: int | None = None

    def __post_init__(self) -> None:
        for option in AWAITED:
            check_follow_ups(option, getattr(self, option))
        check_integer("max_depth", self.max_depth, 1, 32_767)
        check_integer("max_children", self.max_children, 1, 10_000_000)

    @property
    def are_jobs(self) -> bool:
        """Whether anything follows at all."""
        return self.on_success is not None or self.on_failure is not None or self.on_end is not None

    def check(self, find: Find) -> None:
        """Raise TargetError, ArgumentError or OptionError for what cannot follow, as far as it is known here."""
        for option in AWAITED:
            follow_ups(option, getattr(self, option), find)

    def said(self, find: Find) -> str | None:
        """Which jobs follow, as JSON for other processes and the database; None if none do.

        What does not fit a task that was imported since is found out where its job runs. Raises OptionError.
        """
        named = {option: follow_ups(option, getattr(self, option), find, strict=False) for option in AWAITED}
        if not any(named.values()):
            return None
        text = f'"follow_ups":{follow_ups_written(named, declared=True)}'
        bounds = {"max_depth": self.max_depth, "max_children": self.max_children}
        more = "".join(f',"{name}":{value}' for name, value in bounds.items() if value is not None)
        return f"{{{text}{more}}}"


NOTHING_FOLLOWS = Follows()
FOLLOWS_NAMES = frozenset(Follows.__dataclass_fields__)


def taken(given: dict[str, Any]) -> Follows:
    """Take what follows out of the options of a task; of `on_success` the plain functions are left, which are hooks."""
    said = {name: given.pop(name) for name in (*FOLLOWS_NAMES, "dead_to") if name in given}
    both = several(said.pop("on_success", None))
    jobs = [each for each in both if isinstance(each, str | NewJob) or hasattr(each, "target")]
    if hooks := [each for each in both if each not in jobs]:
        given["on_success"] = hooks
    for option in ("on_failure", "on_end", "dead_to"):
        for each in several(said.get(option)):
            if not isinstance(each, str | NewJob) and not hasattr(each, "target"):
                other = "on_success, on_dead and on_cancel" if option == "on_end" else "on_dead"
                raise OptionError(
                    f"{option} enqueues jobs, which a plain function is none, got {each!r:.80}; make it a @task, or say"
                    f" {other} to have it told"
                )
    check_dead_to(dead_to := said.pop("dead_to", None))
    if dead_to is not None:
        said["on_failure"] = [*several(said.get("on_failure")), dead_to]
    follows = Follows(on_success=jobs or None, **said)
    return NOTHING_FOLLOWS if follows == NOTHING_FOLLOWS else follows


def several(said: Any) -> list[Any]:
    """One, or those of a list; None is none."""
    if said is None:
        return []
    return list(said) if isinstance(said, tuple | list) else [said]


def with_follow_ups(new: NewJob, find: Find) -> NewJob:
    """The job with the jobs that follow it named. Raises TargetError, ArgumentError, OptionError."""
    if not new.is_followed:
        return new
    return replace(
        new,
        on_success=follow_ups("on_success", new.on_success, find),
        on_failure=follow_ups("on_failure", [*several(new.on_failure), *several(new.dead_to)] or None, find),
        on_end=follow_ups("on_end", new.on_end, find),
        dead_to=None,
    )


def follow_ups(option: str, said: FollowUps | None, find: Find, *, strict: bool = True) -> list[NewJob] | None:
    """The jobs that follow an end, named; None if there are none. Raises TargetError, ArgumentError, OptionError."""
    if said is None:
        return None
    return [_follow_up(option, each, find, strict) for each in several(said)]


def _follow_up(option: str, said: Any, find: Find, strict: bool) -> NewJob:
    new = said if isinstance(said, NewJob) else NewJob(said)
    name, task = find(new.target)
    args = _by_keyword(option, name, new.args, task)
    if strict and task is not None and (misfit := task.misfit((), {**args, ENDED: None})):
        raise ArgumentError(f"{option}: {name} is told of the job that has ended by its argument {ENDED!r}: {misfit}")
    if task is not None and task.bounds.codec is not None:
        raise OptionError(
            f"{option}: {name} has a codec, and the ended job comes beside its arguments, which are sealed; let a task"
            " without one follow, and enqueue it"
        )
    new = replace(new, target=name, args=args or None)
    if task is not None:
        new = new.over(task.options)
    if new.queue is None and (queue := routed(name)) is not None:
        new = replace(new, queue=queue)
    if task is not None:
        new = task.kept(new)
    for unsaid in _NOT_SAID:
        if getattr(new, unsaid) is not None:
            raise OptionError(
                f"{option}: {unsaid} cannot be said of a job that comes with an end, got {getattr(new, unsaid)!r:.80};"
                " say delay for later, and unique_key, in which {job_id} is the id of the job that has ended"
            )
    if new.on_conflict == "raise":
        raise OptionError(f"{option}: on_conflict='raise' has nobody to raise to at an end; say 'keep' or 'replace'")
    return with_follow_ups(new, find)


def _by_keyword(option: str, name: str, args: Args, task: Callee | None) -> dict[str, Any]:
    if args and not isinstance(args, Mapping) and isinstance(args, tuple | list) and task is not None:
        args = task.by_name(args)
    if args and not isinstance(args, Mapping):
        raise ArgumentError(
            f"{option}: the arguments of {name} are given by keyword, as a mapping: the job that has ended comes beside"
            f" them, as the argument {ENDED!r}"
        )
    found = dict(args) if isinstance(args, Mapping) else {}
    if ENDED in found:
        raise ArgumentError(f"{option}: the argument {ENDED!r} is the job that has ended; call yours by another name")
    encode_args(found)
    return found
