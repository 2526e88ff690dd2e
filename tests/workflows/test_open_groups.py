"""Open groups: jobs come while others run, and what follows waits until the group is closed and all have ended."""

from __future__ import annotations

import pytest

import pgqueue
from pgqueue.testing import drain
from tests.conftest import Connect
from tests.workflows.looking import Conn, finish
from tests.workflows.shop_tasks import add, failing, grow, note, ran


def opened(conn: Conn, name: str = "import", inside: pgqueue.OpenGroup | None = None) -> pgqueue.OpenGroup:
    """An open group that tells its end."""
    return pgqueue.open_group(
        conn,
        name,
        on_success=note.job(name, "success"),
        on_complete=note.job(name, "complete"),
        on_death=note.job(name, "death"),
        inside=inside,
    )


def told() -> list[str]:
    """What was told of ends."""
    return sorted(" ".join(said) for name, said in ran if name == "note")


def test_callbacks_wait_until_it_is_closed(conn: Conn) -> None:
    group = opened(conn)
    group.add(conn, add.job(1, 1), add.job(2, 2))
    drain(conn)
    assert told() == []
    group.add(conn, add.job(3, 3))
    assert group.close(conn)
    assert not group.close(conn)
    assert told() == []
    drain(conn)
    assert told() == ["import complete", "import success"]


def test_empty_one_tells_its_end_when_it_is_closed(conn: Conn) -> None:
    assert opened(conn).close(conn)
    drain(conn)
    assert told() == ["import complete", "import success"]


def test_death_is_told_once_and_success_after_a_retry(conn: Conn) -> None:
    failing.update({1: ValueError, 2: ValueError})
    group = opened(conn)
    group.add(conn, *[add.job(n, 0) for n in range(4)])
    finish(conn)
    assert told() == ["import death"]
    group.close(conn)
    finish(conn)
    assert told() == ["import complete", "import death"]
    failing.clear()
    assert pgqueue.retry_workflow(conn, group.id) == 2
    drain(conn)
    assert told() == ["import complete", "import death", "import success"]


def test_jobs_of_it_add_more_also_when_it_is_closed(conn: Conn) -> None:
    group = opened(conn)
    group.add(conn, grow.job([1, 2, 3]))
    group.close(conn)
    drain(conn)
    assert [name for name, _ in ran].count("add") == 3
    assert [name for name, _ in ran][-2:] == ["note", "note"]
    with pytest.raises(pgqueue.UsageError, match="closed"), conn.transaction():
        group.add(conn, add.job(1, 1))


def test_group_within_a_group_keeps_that_one_open(conn: Conn) -> None:
    outer = opened(conn, "outer")
    inner = opened(conn, "inner", inside=outer)
    outer.add(conn, add.job(1, 1))
    inner.add(conn, add.job(2, 2))
    outer.close(conn)
    drain(conn)
    assert told() == []
    inner.close(conn)
    drain(conn)
    assert told() == ["inner complete", "inner success", "outer complete", "outer success"]


def test_death_within_a_group_is_told_of_both(conn: Conn) -> None:
    failing[2] = ValueError
    outer = opened(conn, "outer")
    inner = opened(conn, "inner", inside=outer)
    inner.add(conn, add.job(2, 2))
    for group in (inner, outer):
        group.close(conn)
    finish(conn)
    assert told() == ["inner complete", "inner death", "outer complete", "outer death"]


def test_jobs_that_are_added_and_rolled_back_never_were(conn: Conn, connect: Connect) -> None:
    group = opened(conn)
    conn.commit()
    other = connect()
    group.add(other, add.job(1, 1))
    other.rollback()
    group.close(conn)
    drain(conn)
    assert told() == ["import complete", "import success"]


def test_unique_key_answers_the_group_that_is_open(conn: Conn) -> None:
    first = pgqueue.open_group(conn, "import", unique_key="import:7")
    second = pgqueue.open_group(conn, "import", unique_key="import:7")
    assert (second.id, second.created) == (first.id, False)
