"""One queue steered by hand: paused, resumed, limited, told what holds of its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pgqueue import queues as steered
from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.limits import OnFull, set_limit, set_max_size
from pgqueue.options import check_duration
from pgqueue.store import execute, limits


def pause(conn: Conn, actor: Actor, queue: str, lasting: timedelta | None = None) -> None:
    """Stop claims from a queue until it is resumed, or for so long. Raises OptionError."""
    check_duration("--for", lasting, zero=False, infinite=False)
    with audited(conn, actor, "queues pause", on=queue):
        steered.pause_queue(conn, queue, lasting)


def resume(conn: Conn, actor: Actor, queue: str) -> None:
    """Go on with claims from a queue. Raises OptionError."""
    with audited(conn, actor, "queues resume", on=queue):
        steered.resume_queue(conn, queue)


def say(
    conn: Conn,
    actor: Actor,
    queue: str,
    *,
    timeout: timedelta | None = None,
    max_attempts: int | None = None,
    priority: int | None = None,
    ageing: timedelta | None = None,
) -> None:
    """Say what holds of a queue's jobs where neither they nor their task do; None stays. Raises OptionError."""
    with audited(conn, actor, "queues set", on=queue):
        steered.set_queue(conn, queue, timeout=timeout, max_attempts=max_attempts, priority=priority, ageing=ageing)


def allow(conn: Conn, actor: Actor, queue: str, patterns: Sequence[str] | None) -> None:
    """Let a queue take jobs of these targets alone, or globs of them; None: of any. Raises OptionError."""
    with audited(conn, actor, f"queues allow {'any' if patterns is None else ' '.join(patterns)}", on=queue):
        steered.allow_targets(conn, queue, patterns)


def unsay(conn: Conn, actor: Actor, queue: str, *names: str) -> None:
    """Let a queue say nothing of these any more, or of nothing at all. Raises OptionError."""
    with audited(conn, actor, "queues unset", on=queue):
        steered.unset_queue(conn, queue, *names)


def limit(
    conn: Conn,
    actor: Actor,
    queue: str,
    *,
    concurrency: int | None = None,
    rate: str | None = None,
    burst: int | None = None,
    max_size: int | None = None,
    on_full: OnFull | None = None,
) -> None:
    """Limit a queue: None stays as it was, 0 and the rate `none` lift. Raises OptionError."""
    with audited(conn, actor, "queues limit", on=queue) as act:
        act.done = (concurrency, rate, burst, max_size, on_full) != (None,) * 5
        if (concurrency, rate, burst) != (None, None, None):
            set_limit(conn, "queue", queue, concurrency=concurrency, rate=rate, burst=burst)
        if max_size is not None or on_full is not None:
            size = execute(conn, limits.size_of(queue)) if max_size is None else None
            set_max_size(conn, queue, max_size if size is None else size[0], on_full=on_full)
