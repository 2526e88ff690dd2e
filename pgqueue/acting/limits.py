"""One limit set or removed by hand."""

from __future__ import annotations

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.limits import Scope, remove_limit, set_limit
from pgqueue.role_limits import remove_role_limit, set_role_limit
from pgqueue.tasks.limited import OnDead


def put(
    conn: Conn,
    actor: Actor,
    scope: Scope,
    name: str,
    *,
    concurrency: int | None = None,
    rate: str | None = None,
    burst: int | None = None,
    weight: int | None = None,
    ordered: bool | None = None,
    on_dead: OnDead | None = None,
) -> None:
    """Set a limit: None stays as it was, 0 and the rate `none` lift. Raises OptionError."""
    with audited(conn, actor, "limits set", on=f"{scope}:{name}"):
        set_limit(
            conn,
            scope,
            name,
            concurrency=concurrency,
            rate=rate,
            burst=burst,
            weight=weight,
            ordered=ordered,
            on_dead=on_dead,
        )


def remove(conn: Conn, actor: Actor, scope: Scope, name: str) -> bool:
    """Remove a limit; False if there is none of this name."""
    with audited(conn, actor, "limits remove", on=f"{scope}:{name}") as act:
        act.done = remove_limit(conn, scope, name)
    return act.done


def put_role(
    conn: Conn,
    actor: Actor,
    role: str,
    *,
    rate: str | None = None,
    burst: int | None = None,
    max_queues: int | None = None,
    max_size: int | None = None,
    max_args: int | None = None,
) -> None:
    """Say what a role may enqueue: None stays as it was, 0 and the rate `none` lift. Raises OptionError."""
    with audited(conn, actor, "limits role", on=role):
        set_role_limit(conn, role, rate=rate, burst=burst, max_queues=max_queues, max_size=max_size, max_args=max_args)


def remove_role(conn: Conn, actor: Actor, role: str) -> bool:
    """Lift what a role may enqueue; False if it had no limit."""
    with audited(conn, actor, "limits role --remove", on=role) as act:
        act.done = remove_role_limit(conn, role)
    return act.done
