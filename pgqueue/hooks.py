"""Hooks: functions that are told what became of attempts, once that is settled, and of workers that start and stop.

    @pgqueue.hooks.on_dead
    def tell(done: Finished) -> None: ...

in a module of the worker's app: for every job of its tasks. `@task(on_dead=tell)` is for one task's. What a hook raises
is logged, and changes nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pgqueue.errors import OptionError
from pgqueue.events import Begun, Finished, WorkerStarted, WorkerStopping
from pgqueue.outcome import Move, Reason

# It is called with an event: Finished, but Begun by on_start, WorkerStarted and WorkerStopping by those of workers.
Hook = Callable[[Any], object]
Told = Finished | Begun | WorkerStarted | WorkerStopping
# Hooks by the name under which they are declared.
Hooks = Mapping[str, tuple[Hook, ...]]
HookT = TypeVar("HookT", bound=Hook)

OF_JOBS = ("on_start", "on_success", "on_retry", "on_error", "on_timeout", "on_dead", "on_cancel", "on_stalled")
OF_WORKERS = ("on_worker_start", "on_worker_stop")
# In place of a target: those of every task.
EVERY = "*"

_registered: dict[str, list[Hook]] = {name: [] for name in (*OF_JOBS, *OF_WORKERS)}


def on_start(hook: HookT) -> HookT:
    """Call it when an attempt has begun, with Begun; the attempt does not wait for it."""
    return _added("on_start", hook)


def on_success(hook: HookT) -> HookT:
    """Call it when a job has succeeded."""
    return _added("on_success", hook)


def on_retry(hook: HookT) -> HookT:
    """Call it when an attempt has failed, in whatever way, and the job will run again."""
    return _added("on_retry", hook)


def on_error(hook: HookT) -> HookT:
    """Call it when an attempt has raised or crashed, whatever becomes of its job."""
    return _added("on_error", hook)


def on_timeout(hook: HookT) -> HookT:
    """Call it when an attempt ran out of time, whatever becomes of its job."""
    return _added("on_timeout", hook)


def on_dead(hook: HookT) -> HookT:
    """Call it when an attempt was its job's last, and the job is dead."""
    return _added("on_dead", hook)


def on_cancel(hook: HookT) -> HookT:
    """Call it when an attempt ended with its job cancelled."""
    return _added("on_cancel", hook)


def on_stalled(hook: HookT) -> HookT:
    """Call it when an attempt was lost with its worker, or came too late because its lease had ended."""
    return _added("on_stalled", hook)


def on_worker_start(hook: HookT) -> HookT:
    """Call it when a worker of this app begins to claim, with WorkerStarted."""
    return _added("on_worker_start", hook)


def on_worker_stop(hook: HookT) -> HookT:
    """Call it when a worker of this app claims no more, with WorkerStopping."""
    return _added("on_worker_stop", hook)


def registered(name: str) -> tuple[Hook, ...]:
    """The hooks of this process that are for every task, or for workers."""
    return tuple(_registered[name])


def named() -> frozenset[tuple[str, str]]:
    """Which of them there are."""
    return frozenset((name, EVERY) for name, hooks in _registered.items() if hooks)


def checked(option: str, hooks: object, words: Sequence[str] = ()) -> tuple[Hook, ...]:
    """One hook or several. Raises OptionError for what cannot be called with one event.

    `words` are what the option may say instead of one.
    """
    several = tuple(hooks) if isinstance(hooks, tuple | list) else (hooks,)
    for hook in several:
        if not callable(hook) or not _takes_one(hook):
            word = f"one of {', '.join(words)}, or " if words else ""
            wanted = f"{word}a function that takes one event, or a list of such functions"
            raise OptionError(f"{option} must be {wanted}, got {hooks!r:.80}")
    return several


def names_of(done: Finished, *, is_late: bool = False) -> tuple[str, ...]:
    """Which hooks are to be told of an attempt that is settled."""
    settlement = done.settlement
    if is_late:
        return ("on_stalled",)
    if settlement.move in (Move.SUCCEED, Move.BRING, Move.NOTHING):
        return ("on_success",)
    if settlement.move not in (Move.RETRY, Move.END, Move.FALL_BACK):
        return ()
    if settlement.reason is Reason.UNTRUSTED:
        # What it says is nobody's word: no code of the application hears of it.
        return ()
    if settlement.outcome == "cancelled":
        return ("on_cancel",)
    end = "on_dead" if settlement.move is Move.END else "on_retry"
    how = _HOW.get(settlement.outcome)
    return (end,) if how is None else (how, end)


_HOW = {"failed": "on_error", "crashed": "on_error", "timeout": "on_timeout", "lost": "on_stalled"}


def _added(name: str, hook: HookT) -> HookT:
    if hook not in _registered[name]:
        _registered[name] += checked(name, hook)
    return hook


def _takes_one(hook: Callable[..., Any]) -> bool:
    try:
        inspect.signature(hook).bind(None)
    except TypeError:
        return False
    except ValueError:  # Some of C tell nothing.
        return True
    return True
