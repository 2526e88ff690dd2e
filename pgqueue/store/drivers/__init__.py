"""Connections of other drivers than psycopg 3, as the store sees them.

    spelling      a statement as such a driver takes it: every value a text, every type said in the SQL
    on_psycopg2   runs statements on a connection of psycopg2
    on_asyncpg    runs statements on a connection of asyncpg
    complaints    what the database says through them, as psycopg says it
    refusing      what is told to who passes something else

Each class has as much of psycopg's connection as the store uses, under psycopg's names: the functions above it need not
know which driver is below. None of the drivers is imported here: who passes a connection has imported its own.
"""

from pgqueue.store.drivers.complaints import errors_of
from pgqueue.store.drivers.on_asyncpg import OnAsyncpg, is_asyncpg
from pgqueue.store.drivers.on_psycopg2 import OnPsycopg2, is_psycopg2

__all__ = ["OnAsyncpg", "OnPsycopg2", "errors_of", "is_asyncpg", "is_psycopg2"]
