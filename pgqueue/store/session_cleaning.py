"""What a job leaves in a session, undone: transaction, temporary tables, settings, role, locks, statements."""

from __future__ import annotations

from typing import Any

from psycopg.pq import TransactionStatus

from pgqueue.store.sync_or_async import answer

# What DISCARD ALL would do after the COMMIT, which behind a pooler is too late. What is left out is the pooler's own.
_RELEASE = """
select pg_catalog.pg_advisory_unlock_all();
do $$ declare
  _name pg_catalog.text;
begin
  for _name in select name from pg_catalog.pg_prepared_statements where from_sql loop
    execute pg_catalog.format('deallocate %I', _name);
  end loop;
end $$;
"""
_LEAVE_NOTHING = f"""
unlisten *; close all; discard temp; reset session authorization; reset role; {_RELEASE}
do $$ declare
  _name pg_catalog.text;
begin
  for _name in
    select name from pg_catalog.pg_settings
    where source operator(pg_catalog.=) 'session' and name operator(pg_catalog.!~~) 'transaction\\_%'
      and name operator(pg_catalog.<>) all (
        array['application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings'])
  loop
    execute pg_catalog.format('reset %I', _name);
  end loop;
end $$;
"""


async def undo_and_forget(conn: Any) -> None:
    """Roll back, and leave nothing in a session of our own."""
    await answer(conn.rollback())
    await answer(conn.set_autocommit(True))
    await answer(conn.execute("discard all", prepare=False))


async def forget_behind_pooler(conn: Any) -> None:
    """Leave nothing, within the transaction: with its COMMIT the session is somebody else's."""
    await answer(conn.execute(_LEAVE_NOTHING, prepare=False))


async def undo_behind_pooler(conn: Any) -> None:
    """Roll back, if there is something to be."""
    if conn.info.transaction_status != TransactionStatus.IDLE:
        # One message, or what follows the rollback would meet another session.
        await answer(conn.execute(f"rollback; {_RELEASE}", prepare=False))
