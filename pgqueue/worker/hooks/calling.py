"""Calls one hook, where the code of the app is, and says in words what was wrong with it."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable
from contextvars import copy_context
from inspect import isawaitable
from typing import Any

from pgqueue.description import message_of, type_name
from pgqueue.events import Begun, Finished
from pgqueue.hooks import Hook, Told, registered
from pgqueue.leaving_out import without
from pgqueue.redaction import secrets_of
from pgqueue.tasks import registered as registered_task

# How long one may take, seconds.
LONGEST = 5.0


def hooks_of(name: str, told: Told) -> tuple[Hook, ...]:
    """The hooks of this process that are to be told: the task's own, then those of every task."""
    task = registered_task(told.claim.target) if isinstance(told, Finished | Begun) else None
    return (() if task is None else task.hooks.get(name, ())) + registered(name)


def call(name: str, hook: Hook, told: Told) -> str | None:
    """Call it; what was wrong, in words, or None. A coroutine is cancelled after LONGEST seconds."""
    try:
        copy_context().run(_call, hook, told)
    except TimeoutError as error:
        return f"{title(name, hook)}: {message_of(error) or f'it ran longer than {LONGEST:g} s, and was cancelled'}"
    except BaseException as error:  # A hook that exits ends nothing.
        return _clean(told, f"{title(name, hook)}: {type_name(error)}: {message_of(error)}{_place_of(error)}")
    return None


def title(name: str, hook: Hook) -> str:
    """What a hook is called where something is said of it."""
    return f"{name} {getattr(hook, '__module__', '')}:{getattr(hook, '__qualname__', type(hook).__name__)}"


def _call(hook: Hook, told: Told) -> None:
    made: Any = hook(told)
    if isawaitable(made):
        asyncio.run(_within(made))


async def _within(made: Awaitable[object]) -> None:
    await asyncio.wait_for(made, LONGEST)


def _place_of(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def _clean(told: Told, text: str) -> str:
    """Without what the task of its job calls sensitive: the hook was given that."""
    if not isinstance(told, Finished | Begun):
        return text
    task = registered_task(told.claim.target)
    if task is None or task.secrecy is None:
        return text
    return without(text, secrets_of(task.secrecy, told.claim.args)) or ""
