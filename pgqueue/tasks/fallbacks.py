"""What follows a task that cannot do its jobs: other code, which may have a fallback of its own, or a human."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, get_args

from pgqueue.errors import OptionError, TargetError
from pgqueue.judge import Fallback
from pgqueue.options import check_integer
from pgqueue.outcome import HUMAN
from pgqueue.tasks.bounds import MOST_ATTEMPTS, FallbackOn
from pgqueue.tasks.registry import registered, target_of
from pgqueue.tasks.task import Task

OUTCOMES = get_args(FallbackOn)
# What a task means that does not say: what its own code did. A lost attempt is its worker's.
USUAL = ("failed", "timeout", "crashed")
# As fall_back.sql has it: so many targets may have a job, one after the other.
LONGEST_CHAIN = 8


def fallback_taken(given: dict[str, Any]) -> Fallback | None:
    """Take what is said of a fallback out of the options of a task. Raises OptionError."""
    to = given.pop("fallback", None)
    after, outcomes = given.pop("fallback_after", None), given.pop("fallback_on", None)
    if to is None:
        if after is not None or outcomes is not None:
            raise OptionError("fallback_after and fallback_on say when a fallback comes, and the task has none")
        return None
    check_integer("fallback_after", after, 1, MOST_ATTEMPTS)
    return Fallback(_named(to), after, USUAL if outcomes is None else _checked(outcomes))


def check_fallback(task: Task[..., Any]) -> None:
    """Raise OptionError for a chain of fallbacks that comes back to itself, as far as it is known, or has no end."""
    fallback = task.terms.fallback
    if fallback is not None and fallback.to != HUMAN and task.bounds.at_most_once:
        raise OptionError(
            f"{task.target} may run at most once, and {fallback.to} would be a second time; let its fallback be 'human'"
        )
    chain = [task.target]
    while fallback is not None and fallback.to != HUMAN:
        chain.append(fallback.to)
        if fallback.to in chain[:-1]:
            raise OptionError(f"fallbacks go in a circle: {' -> '.join(chain)}; let the last one have none, or 'human'")
        if len(chain) > LONGEST_CHAIN:
            raise OptionError(f"at most {LONGEST_CHAIN} tasks may follow each other, got {' -> '.join(chain)}")
        following = registered(fallback.to)
        fallback = None if following is None else following.terms.fallback


def _named(to: Any) -> str:
    if to == HUMAN:
        return HUMAN
    try:
        return target_of(to)
    except TargetError as error:
        raise OptionError(f"fallback must be 'human' or a task: {error}") from None


def _checked(outcomes: Any) -> tuple[str, ...]:
    if isinstance(outcomes, str) or not isinstance(outcomes, Collection) or not outcomes:
        raise OptionError(f"fallback_on must be outcomes such as ('failed', 'timeout'), got {outcomes!r:.80}")
    if unknown := [each for each in outcomes if each not in OUTCOMES]:
        raise OptionError(f"fallback_on takes {', '.join(OUTCOMES)}, got {unknown[0]!r:.80}")
    return tuple(each for each in OUTCOMES if each in outcomes)
