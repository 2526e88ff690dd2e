"""Schedules that code declares: what holds while deploys come and go, and what people keep."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from pgqueue.store import declaring as declarations
from pgqueue.store import execute, schedules
from tests.conftest import Connect
from tests.factories import Conn, count, enlist, expire
from tests.store.scheduling import put, row


class Declaring:
    """Workers of one app, and what their code declares."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn

    def say(self, worker: int, *names: str, app: str = "shop", **said: Any) -> bool:
        declared = [
            schedules.encoded({"schedule": {"name": name, "target": f"{app}:{name}", "every": 60.0, **said}})
            for name in names
        ]
        return execute(self.conn, declarations.declare(worker, app, declared))

    def holds(self) -> dict[str, str | None]:
        """The names of all schedules, and by whom each is paused."""
        return {each.name: each.paused_by for each in execute(self.conn, schedules.rows(100))}


@pytest.fixture
def declaring(db: Conn) -> Declaring:
    return Declaring(db)


def test_an_app_that_declares_nothing_says_nothing(declaring: Declaring, db: Conn) -> None:
    assert declaring.say(enlist(db)) is False
    assert count(db, "rule_sets") == 0


def test_what_is_declared_no_more_is_paused_and_goes_on_when_it_is_declared_again(
    declaring: Declaring, db: Conn
) -> None:
    old, new, newest = enlist(db), enlist(db), enlist(db)
    declaring.say(old, "a", "b")
    assert declaring.holds() == {"a": None, "b": None}
    declaring.say(new, "b")
    assert declaring.holds() == {"a": "code", "b": None}
    declaring.say(newest, "a", "b", "c")
    assert declaring.holds() == {"a": None, "b": None, "c": None}


def test_an_old_deploy_beside_a_new_one_changes_nothing(declaring: Declaring, db: Conn) -> None:
    old, new, old_again = enlist(db), enlist(db), enlist(db)
    declaring.say(old, "a")
    declaring.say(new, "b")
    for worker in (old_again, old, new, old):
        declaring.say(worker, *("b" if worker == new else "a"))
        assert declaring.holds() == {"a": "code", "b": None}


def test_after_the_new_code_has_gone_that_of_workers_that_stayed_holds_again(declaring: Declaring, db: Conn) -> None:
    old, new = enlist(db), enlist(db)
    declaring.say(old, "a")
    declaring.say(new, "b")
    expire(db, new)
    declaring.say(old, "a")
    assert declaring.holds() == {"a": None, "b": "code"}
    declaring.say(enlist(db), "b")
    assert declaring.holds() == {"a": "code", "b": None}


def test_what_people_paused_or_removed_stays_so_when_it_is_declared_again(declaring: Declaring, db: Conn) -> None:
    declaring.say(enlist(db), "a", "b")
    execute(db, schedules.pause("a"))
    execute(db, schedules.remove("b"))
    declaring.say(enlist(db), "a", "b")
    assert declaring.holds() == {"a": "hand"}
    declaring.say(enlist(db), "a", "b", "c")
    assert declaring.holds() == {"a": "hand", "b": None, "c": None}


def test_code_and_people_and_other_apps_change_nothing_of_each_other(declaring: Declaring, db: Conn) -> None:
    put(db, "a")
    declaring.say(enlist(db), "a", "b")
    assert row(db, "a").source is None
    assert put(db, "b") is None
    declaring.say(enlist(db), "b", app="other")
    assert row(db, "b").source == "shop"
    assert declaring.holds() == {"a": None, "b": None}


def test_two_workers_that_declare_at_once_make_each_schedule_once(
    declaring: Declaring, db: Conn, connect: Connect
) -> None:
    other = connect()
    first, second = enlist(db), enlist(db)
    Declaring(other).say(first, "a", "b")
    db.execute("set lock_timeout = '50ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        declaring.say(second, "a", "b")
    other.commit()
    declaring.say(second, "a", "b")
    assert declaring.holds() == {"a": None, "b": None}
    assert count(db, "rule_sets") == 1
