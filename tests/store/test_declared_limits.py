"""Limits that code declares: which hold while several deploys live, and beside those that people set."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

import pgqueue
from pgqueue.store import declaring, execute
from tests.factories import Conn, count, enlist, expire


@dataclass(frozen=True, slots=True)
class Declaring:
    conn: Conn

    def say(self, worker: int, *, app: str = "shop", **limits: int) -> bool:
        """The app of this worker declares keys, each with its concurrency."""
        declared = [
            json.dumps({"target": f"{app}:f", "limit": {"scope": "key", "name": name, "concurrency": limit}})
            for name, limit in limits.items()
        ]
        return execute(self.conn, declaring.declare(worker, app, declared))

    def holds(self) -> dict[str, Any]:
        """The concurrency of each key."""
        return dict(self.conn.execute("select name, concurrency from pgqueue.limits order by name").fetchall())


@pytest.fixture
def declare(db: Conn) -> Declaring:
    return Declaring(db)


def test_what_code_declares_holds_and_changes_with_it(declare: Declaring, db: Conn) -> None:
    assert declare.say(enlist(db), a=1, b=2) is True
    assert declare.holds() == {"a": 1, "b": 2}
    declare.say(enlist(db), a=3, b=2)
    assert declare.holds() == {"a": 3, "b": 2}


def test_what_is_declared_no_more_goes_when_no_live_deploy_declares_it(declare: Declaring, db: Conn) -> None:
    old, new = enlist(db), enlist(db)
    declare.say(old, a=1, b=2)
    declare.say(new, b=3)
    assert declare.holds() == {"a": 1, "b": 3}
    declare.say(old, a=1, b=2)
    assert declare.holds() == {"a": 1, "b": 3}
    expire(db, old)
    declare.say(new, b=3)
    assert declare.holds() == {"b": 3}
    expire(db, new)
    declare.say(enlist(db))
    assert declare.holds() == {}


def test_an_old_deploy_beside_a_new_one_changes_nothing(declare: Declaring, db: Conn) -> None:
    old, new = enlist(db), enlist(db)
    declare.say(old, a=1)
    declare.say(new, a=2)
    for worker in (enlist(db), old, new, old):
        declare.say(worker, a=2 if worker == new else 1)
        assert declare.holds() == {"a": 2}
    expire(db, new)
    declare.say(old, a=1)
    assert declare.holds() == {"a": 1}


def test_what_people_set_wins_until_they_remove_it(declare: Declaring, db: Conn) -> None:
    worker = enlist(db)
    pgqueue.set_limit(db, "key", "mine", concurrency=9)
    declare.say(worker, mine=1, a=1)
    assert declare.holds() == {"a": 1, "mine": 9}
    pgqueue.set_limit(db, "key", "a", concurrency=7)
    declare.say(enlist(db), mine=1, a=2)
    assert declare.holds() == {"a": 7, "mine": 9}
    pgqueue.remove_limit(db, "key", "a")
    declare.say(worker, mine=1, a=2)
    assert declare.holds() == {"a": 2, "mine": 9}
    pgqueue.set_limit(db, "key", "a", concurrency=0)
    declare.say(worker, mine=1, a=2)
    assert declare.holds() == {"a": None, "mine": 9}


def test_two_apps_change_nothing_of_each_other(declare: Declaring, db: Conn) -> None:
    first, second = enlist(db), enlist(db)
    declare.say(first, a=1)
    declare.say(second, app="other", a=2, b=2)
    assert declare.holds() == {"a": 1, "b": 2}
    declare.say(enlist(db), app="other", c=1)
    assert declare.holds() == {"a": 1, "b": 2, "c": 1}


def test_what_has_not_changed_is_not_written(declare: Declaring, db: Conn) -> None:
    worker = enlist(db)
    declare.say(worker, a=1)
    before = db.execute("select ctid, xmin from pgqueue.limits").fetchall()
    declare.say(worker, a=1)
    declare.say(enlist(db), a=1)
    assert db.execute("select ctid, xmin from pgqueue.limits").fetchall() == before
    assert count(db, "rule_sets") == 1
