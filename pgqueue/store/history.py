"""Whether what a server commits will last: which history it tells, and whether its commits come to an end."""

from __future__ import annotations

from pgqueue.store.statement import Statement, only_value, query


def timeline() -> Statement[str | None]:
    """The server's system and the timeline that it writes, as one text; None where that cannot be known. O(1)."""
    return Statement(_TIMELINE, (), only_value)


# A promoted standby, and a server that was recovered to some moment, begin a timeline of their own. From the name of a
# file of the log, because that is true at once; a checkpoint may come later.
_TIMELINE = """
select case when not pg_is_in_recovery() then
  (select system_identifier::text from pg_control_system()) || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
end
"""


def hanging_commit() -> Statement[str | None]:
    """A session whose commit waits for a synchronous standby, in words; None if none does. Reads pg_stat_activity."""
    return Statement(query("hanging_commit"), (), lambda rows: rows[0][0] if rows else None)
