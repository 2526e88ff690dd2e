"""What a child says of its tasks, as a message: nothing is taken but what a child of ours could have said."""

from __future__ import annotations

import dataclasses
import json
from math import inf
from typing import Any

from pgqueue.company import LONGEST_WAIT, MOST_TOGETHER, Batching
from pgqueue.description import MESSAGE_LIMIT, TRACEBACK_LIMIT
from pgqueue.hooks import OF_JOBS
from pgqueue.judge import Fallback, Terms
from pgqueue.retry import Backoff, Delays, Fixed, Linear, RetryPolicy
from pgqueue.store.spawning import AWAITED
from pgqueue.tasks.fallbacks import OUTCOMES
from pgqueue.worker.attempts.task_spec import TaskSpec
from pgqueue.worker.executors.process.wire import (
    Nonsense,
    bounded_text,
    hooks_from_child,
    target_from_child,
    text_from_child,
)

_POLICIES: dict[str, type[RetryPolicy]] = {
    kind.__name__: kind for kind in (RetryPolicy, Backoff, Linear, Fixed, Delays)
}


def spec_to_wire(spec: TaskSpec) -> tuple[Any, ...]:
    """A task without its code; of its policy only what portable() leaves."""
    terms = {field.name: getattr(spec.terms, field.name) for field in dataclasses.fields(spec.terms)}
    policy = terms.pop("retry")
    waits = {each.name: getattr(policy, each.name) for each in dataclasses.fields(policy)}
    kept = {name: value for name, value in waits.items() if name not in ("on", "not_on")}
    return (
        spec.target,
        terms,
        type(policy).__name__,
        kept,
        spec.timeout,
        spec.soft_timeout,
        spec.rules,
        spec.secrecy,
        spec.hooks,
        spec.follows,
        spec.batching,
    )


def spec_from_child(said: object) -> TaskSpec:
    """The task that a child tells of. Raises Nonsense, and what a policy raises about its values."""
    match said:
        case [
            str(target),
            dict(terms),
            str(kind),
            dict(waits),
            timeout,
            soft,
            rules,
            secrecy,
            hooks,
            follows,
            batching,
        ] if kind in _POLICIES:
            known = _terms(terms, _POLICIES[kind](**waits))
            name = bounded_text(target, MESSAGE_LIMIT)
            hidden = text_from_child(secrecy, TRACEBACK_LIMIT)
            return TaskSpec(
                name,
                known,
                _limit(timeout),
                _limit(soft),
                _rules(rules, name),
                hidden,
                hooks_from_child(hooks, OF_JOBS),
                _follows(follows),
                _batching(batching),
            )
        case _:
            raise Nonsense("no task")


def _terms(said: dict[str, Any], policy: RetryPolicy) -> Terms:
    match said:
        case {
            "max_attempts": None | int(),
            "on_timeout": "retry" | "bury" | "cancel",
            "on_expiry": "bury" | "cancel",
            "at_most_once": bool(),
            "fallback": fallback,
        } if said["max_attempts"] is None or 0 < said["max_attempts"] < 1 << 15:
            return Terms(retry=policy, **{**said, "fallback": _fallback(fallback)})
        case _:
            raise Nonsense("no terms of a task")


def _fallback(said: object) -> Fallback | None:
    match said:
        case None:
            return None
        case [str(to), None | int() as after, [*outcomes]] if after is None or 0 < after < 1 << 15:
            if all(each in OUTCOMES for each in outcomes):
                return Fallback(target_from_child(to), after, tuple(map(str, outcomes)))
    raise Nonsense("no fallback")


def _rules(said: object, target: str) -> str | None:
    """What the task of this name declares; a task declares nothing about another."""
    text = text_from_child(said, TRACEBACK_LIMIT)
    if text is None:
        return None
    rules = json.loads(text)
    match rules:
        case {"target": named} if named == target and rules.keys() <= {"target", "schedule", "limit"}:
            if _is_own_schedule(rules.get("schedule"), target) and _is_own_limit(rules.get("limit"), target):
                return text
    raise Nonsense("no rules of this task")


def _follows(said: object) -> str | None:
    """Which jobs follow: what the database would refuse would refuse the others' with it."""
    text = text_from_child(said, TRACEBACK_LIMIT)
    if text is not None:
        match json.loads(text):
            case {"follow_ups": [*several]} if all(
                type(each) is dict and type(each.get("target")) is str and each.get("on") in AWAITED.values()
                for each in several
            ):
                return text
        raise Nonsense("no follow-ups")
    return None


def _is_own_schedule(said: object, target: str) -> bool:
    match said:
        case None:
            return True
        case {"name": name, "target": named}:
            return bool(name == named == target)
    return False


def _is_own_limit(said: object, target: str) -> bool:
    match said:
        case None | {"scope": "key", "name": str()}:
            return True
        case {"scope": "task", "name": name}:
            return bool(name == target)
    return False


def _batching(said: object) -> Batching | None:
    match said:
        case None:
            return None
        case [int(size), int() | float() as wait] if 0 < size <= MOST_TOGETHER and 0 <= wait <= LONGEST_WAIT:
            return Batching(size, wait)
    raise Nonsense("no batches")


def _limit(said: object) -> float | None:
    if said is None or (type(said) in (int, float) and 0 < float(said) <= inf):  # type: ignore[arg-type]  # is number
        return said  # type: ignore[return-value]  # as above
    raise Nonsense("no time limit")
