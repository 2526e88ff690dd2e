"""Wake-ups: how a worker listens, shows that it is hungry, and finds out whether its listening works."""

from __future__ import annotations

from collections.abc import Sequence

from pgqueue.store.statement import Statement, nothing

CHANNEL = "pgqueue"


def hungry(queues: Sequence[str] | None) -> Statement[None]:
    """Hold the advisory locks by which an enqueue knows that somebody idle listens; None means all queues.

    Held by the session until fed() or its end.
    """
    if queues is None:
        return Statement("select pg_advisory_lock_shared(7702, 0)", (), nothing)
    return Statement(
        "select pg_advisory_lock_shared(7701, hashtext(name)) from unnest($1::text[]) as name", (list(queues),), nothing
    )


def fed() -> Statement[None]:
    """Let go of all that hungry() holds."""
    return Statement("select pg_advisory_unlock_all()", (), nothing)


def listen(own_channel: str) -> Sequence[Statement[None]]:
    """Hear of work, and of our own self-tests."""
    return [Statement(f"listen {name}", (), nothing) for name in (CHANNEL, own_channel)]


def self_test(own_channel: str) -> Statement[None]:
    """Send a notification to ourselves: it arrives on the same connection, or listening does not work."""
    return Statement("select pg_notify($1::text, '')", (own_channel,), nothing)
