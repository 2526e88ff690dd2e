"""Wake-ups: how a worker listens, shows that it is hungry, and finds out whether its listening works."""

from __future__ import annotations

from collections.abc import Sequence

from pgqueue.store.statement import Statement, nothing, only_value

CHANNEL = "pgqueue"
# A lock of its own for more queues would use up the server's table of locks; who serves them hears of all.
MOST_LOCKS = 100


def hungry(queues: Sequence[str] | None) -> Statement[bool]:
    """Hold the advisory locks by which an enqueue knows that somebody idle listens; None, or very many, means all.

    Held by the session until fed() or its end. Waits for nobody: False if somebody had one of them to himself, as each
    enqueue has for an instant. Who keeps it can keep nobody from being told: it is the same as to listen.
    """
    if queues is None or len(queues) > MOST_LOCKS:
        return Statement("select pg_try_advisory_lock_shared(7702, 0)", (), only_value)
    sql = "select bool_and(pg_try_advisory_lock_shared(7701, hashtext(name))) from unnest($1::text[]) as name"
    return Statement(sql, (list(queues),), only_value)


def fed() -> Statement[None]:
    """Let go of all that hungry() holds."""
    return Statement("select pg_advisory_unlock_all()", (), nothing)


def listen(channel: str) -> Statement[None]:
    """Hear what is sent on a channel, until the session ends."""
    return Statement(f"listen {channel}", (), nothing)


def self_test(own_channel: str) -> Statement[None]:
    """Send a notification to ourselves: it arrives on the same connection, or listening does not work."""
    return Statement("select pg_notify($1::text, '')", (own_channel,), nothing)
