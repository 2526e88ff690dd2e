"""What tests of waiting share: who listens in a database, and that nobody finds out but by being told."""

from __future__ import annotations

import pytest

from pgqueue.hearing import line, until
from tests.factories import Conn

FAR = 60.0


@pytest.fixture
def only_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The looks that are made unasked are far away: who returns was told."""
    monkeypatch.setattr(until, "SAFETY", FAR)
    for name in ("FIRST_LOOK", "LISTENING_LOOK", "DEAF_LOOK"):
        monkeypatch.setattr(line, name, FAR)


def ears(db: Conn) -> list[int]:
    """The backends that hear of what ends in this database, for all who wait in a process."""
    sql = """
    select lock.pid from pg_locks as lock join pg_stat_activity as session using (pid)
    where lock.locktype = 'advisory' and lock.classid = 7703 and lock.granted and session.datname = current_database()
      and session.application_name = 'pgqueue waiting'
    """
    return [row[0] for row in db.execute(sql).fetchall()]
