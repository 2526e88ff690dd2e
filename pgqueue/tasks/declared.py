"""What a task declares for the database to keep: its schedule, its limit, and what follows its jobs."""

from __future__ import annotations

import json
from typing import Any

from pgqueue.errors import OptionError
from pgqueue.tasks.registry import found
from pgqueue.tasks.scheduled import declared_schedule
from pgqueue.tasks.task import Task

# All that a task declares travels from a child to its worker in one line.
_LONGEST = 10_000
_LONGEST_FOLLOWS = 40_000


def declared_follows(task: Task[..., Any]) -> str | None:
    """Which jobs follow those of the task, as JSON; None if none do. Raises TargetError, ArgumentError, OptionError."""
    if not task.follows.are_jobs or task.function.__module__ == "__main__":
        return None
    text = task.follows.said(found)
    if text is not None and len(text) > _LONGEST_FOLLOWS:
        raise OptionError(
            f"{task.target} declares {len(text):,} characters of follow-ups; pass ids in place of contents"
        )
    return text


def declared_rules(task: Task[..., Any]) -> str | None:
    """What @task(...) declares, as JSON: `target`, and a `schedule` or a `limit`, or both; None if it does not."""
    # What stands in __main__ no other process can find.
    if task.function.__module__ == "__main__":
        return None
    rules = {"schedule": declared_schedule(task), "limit": task.declared_limit()}
    said = {name: rule for name, rule in rules.items() if rule is not None}
    if not said:
        return None
    text = json.dumps({"target": task.target, **said}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if len(text) > _LONGEST:
        raise OptionError(f"{task.target} declares {len(text):,} characters of rules; its labels are too long")
    return text
