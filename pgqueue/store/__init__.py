"""The store: the only SQL and the only psycopg details. A move is a statement, and a statement is a value.

from pgqueue.store import enqueueing, execute

execute(conn, enqueueing.enqueue(new_job))          # an awaitable, if conn is async
"""

from pgqueue.store.statement import Statement, execute, execute_beside

__all__ = ["Statement", "execute", "execute_beside"]
