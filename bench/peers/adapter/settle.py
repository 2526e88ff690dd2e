"""Brings a filled PostgreSQL to rest before a drain: statistics fresh, dirty pages written."""

from __future__ import annotations


def settle(store: str) -> None:
    """VACUUM ANALYZE and CHECKPOINT; nothing where the store is Redis."""
    if not is_postgresql(store):
        return
    import psycopg  # only where the peer's environment has it

    with psycopg.connect(store, autocommit=True) as conn:
        conn.execute("vacuum analyze")
        conn.execute("checkpoint")


def emptied(store: str) -> None:
    """A Redis without keys: the runner's databases are fresh, its Redis is one for all."""
    if is_postgresql(store):
        return
    import redis  # only where the peer's environment has it

    with redis.Redis.from_url(store) as client:
        client.flushdb()


def is_postgresql(store: str) -> bool:
    """Whether `store` names a PostgreSQL rather than a Redis."""
    return not store.startswith(("redis://", "unix://"))


def count(store: str, query: str) -> int:
    """The one number that `query` returns."""
    import psycopg  # only where the peer's environment has it

    with psycopg.connect(store, autocommit=True) as conn:
        row = conn.execute(query).fetchone()
    assert row is not None
    return int(row[0])
