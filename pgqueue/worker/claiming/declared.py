"""What the tasks here declare of jobs that the database puts together: schedules, and what follows an end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


class Declared:
    """Asks the executor again, when it knows more. `rules` and `follows` are as those of an Executor."""

    def __init__(self, rules: Callable[[], frozenset[str]], follows: Callable[[], frozenset[tuple[str, str]]]) -> None:
        self._rules_of, self._follows_of = rules, follows
        self._rules: frozenset[str] = frozenset()
        self._follows: frozenset[tuple[str, str]] = frozenset()
        self._schedules: dict[str, dict[str, Any]] = {}
        self._ends: dict[str, list[dict[str, Any]]] = {}

    def ticks(self, schedule: str, target: str, args: str) -> bool:
        """Whether a task declares a schedule of this name, for this target with these arguments."""
        if (rules := self._rules_of()) != self._rules:
            said = [json.loads(each).get("schedule") for each in rules]
            self._schedules = {each["name"]: each for each in said if each}
            self._rules = rules
        found = self._schedules.get(schedule)
        return found is not None and found["target"] == target and _is_same(found.get("args", {}), args)

    def follows(self, parent: str | None, awaited: str, target: str, args: str) -> bool:
        """Whether a task declares that after this end of its jobs this target is called with these arguments."""
        if (follows := self._follows_of()) != self._follows:
            self._ends = {of: json.loads(said).get("follow_ups", []) for of, said in follows}
            self._follows = follows
        return any(
            each["on"] == awaited and each["target"] == target and _is_same(each.get("args", {}), args)
            for each in self._ends.get(parent or "", ())
        )


def _is_same(declared: Any, args: str) -> bool:
    try:
        return bool(declared == json.loads(args))
    except (ValueError, RecursionError):
        return False
