"""A person erased by hand: what is written down says by what they were sought, and not their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pgqueue.acting.audited import Actor, Conn
from pgqueue.erasing import Erasure, erase, sought_in_words
from pgqueue.store import audit, execute


def put_out(
    conn: Conn,
    actor: Actor,
    label: Mapping[str, str],
    args: Mapping[str, str],
    *,
    batch: int,
    begin_at: str | None,
    after: Callable[[Erasure], object],
) -> Erasure:
    """Erase; both its beginning and its end are in the audit. Raises OptionError."""
    said = sought_in_words(label, args)

    def note(action: str, n: int | None) -> None:
        with conn.transaction():
            execute(conn, audit.write(actor.who, actor.via, action, filter_text=said, n=n, reason=actor.reason))

    note("erase", None)
    done = erase(conn, label=label, args=args, batch=batch, begin_at=begin_at, after=after)
    note("erase done", done.removed.total())
    return done
