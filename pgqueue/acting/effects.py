"""Keys of the ledger of effects, forgotten or called done by hand."""

from __future__ import annotations

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.effects import effect_done, forget_effect


def forget(conn: Conn, actor: Actor, key: str, scope: str) -> bool:
    """Whoever comes next does it; False if nothing was known of it. Raises EffectBusy."""
    with audited(conn, actor, "effects forget", on=f"{scope}:{key}") as act:
        act.done = forget_effect(conn, key, scope=scope)
    return act.done


def set_done(conn: Conn, actor: Actor, key: str, scope: str) -> bool:
    """What was unknown was done; False if nothing was known of it. Raises EffectBusy."""
    with audited(conn, actor, "effects done", on=f"{scope}:{key}") as act:
        act.done = effect_done(conn, key, scope=scope)
    return act.done
