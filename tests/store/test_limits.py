"""Limits as they are said: which fields hold, what is refused, and which one rules a key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

import pgqueue
from tests.conftest import Connect
from tests.factories import Conn
from tests.words.rates import RIGHT, WRONG

REFUSED = psycopg.errors.InvalidParameterValue


def limit(conn: Conn, scope: str, name: str) -> dict[str, Any] | None:
    """What a limit says, without what is as always."""
    row = conn.execute(
        "select to_jsonb(l) - '{scope,name,changed_at,adopted}'::text[] from pgqueue.limits as l"
        " where scope = %s and name = %s",
        [scope, name],
    ).fetchone()
    usual = {"weight": 1, "ordered": False, "on_dead": "go on"}
    return row and {field: value for field, value in row[0].items() if value is not None and usual.get(field) != value}


def limited(conn: Conn, queue: str) -> bool | None:
    row = conn.execute("select limited from pgqueue.queues where name = %s", [queue]).fetchone()
    return row and row[0]


@pytest.mark.parametrize(("text", "starts", "period"), RIGHT)
def test_the_database_reads_rates_as_python_does(conn: Conn, text: str, starts: int, period: float) -> None:
    assert conn.execute("select * from pgqueue.rate_of(%s)", [text]).fetchone() == (starts, period, None, None)


@pytest.mark.parametrize(("text", "advice"), WRONG)
def test_the_database_refuses_rates_as_python_does(conn: Conn, text: str, advice: str) -> None:
    with pytest.raises(REFUSED) as refused:
        conn.execute("select pgqueue.set_limit('key', 'k', rate => %s)", [text])
    assert advice in (refused.value.diag.message_hint or "")


def test_a_limit_is_set_in_sql(conn: Conn) -> None:
    sql = "select pgqueue.set_limit('key', 'tenant:*', concurrency => 2, rate => '100/m', burst => 20)"
    assert conn.execute(sql).fetchone() == (True,)
    assert limit(conn, "key", "tenant:*") == {"concurrency": 2, "starts": 100, "period": 60, "burst": 20}
    assert conn.execute(sql).fetchone() == (False,)


def test_what_is_not_said_of_a_limit_stays_and_what_is_lifted_goes(conn: Conn) -> None:
    pgqueue.set_limit(conn, "key", "k", concurrency=1, rate="100/m", burst=20, weight=3, ordered=True, on_dead="stop")
    assert pgqueue.set_limit(conn, "key", "k", rate="50/s") is False
    whole = {"concurrency": 1, "starts": 50, "period": 1, "burst": 20, "weight": 3, "ordered": True, "on_dead": "stop"}
    assert limit(conn, "key", "k") == whole
    pgqueue.set_limit(conn, "key", "k", ordered=False)
    pgqueue.set_limit(conn, "key", "k", concurrency=0, rate="none")
    assert limit(conn, "key", "k") == {"weight": 3}
    pgqueue.set_limit(conn, "key", "k", rate="7/d", burst=2)
    pgqueue.set_limit(conn, "key", "k", burst=0)
    assert limit(conn, "key", "k") == {"starts": 7, "period": 86400, "weight": 3}


def test_an_ordered_limit_is_of_one_at_a_time(conn: Conn) -> None:
    pgqueue.set_limit(conn, "key", "k", ordered=True)
    assert limit(conn, "key", "k") == {"concurrency": 1, "ordered": True}


@pytest.mark.parametrize(
    ("said", "fault", "advice"),
    [
        ("null, 'a'", "scope must be queue, task or key, got null", "for example"),
        ("'keys', 'a'", "scope must be queue, task or key, got 'keys'", "for example"),
        ("'key', null", "name must have 1 to 500 characters, got null", "for example"),
        ("'key', ''", "name must have 1 to 500 characters, got 0", "for example"),
        ("'key', E'a\\x01b'", "must not contain the character 1", "leave it out"),
        ("'key', 'a*b'", "a . may only stand at the end of a name, got 'a.b'", "all keys that begin"),
        ("'queue', 'mail*'", "only the name of keys may end in", "set a limit for each queue"),
        ("'task', 'send'", "a task is named by its target 'module:function', got 'send'", "for example"),
        ("'key', 'a', concurrency => -1", "concurrency must be from 1 to 1000000, got -1", "0 lifts it"),
        ("'key', 'a', burst => 5", "burst 5 has no rate", "give a rate"),
        ("'key', 'a', rate => '5/m', burst => 6", "burst must be at most the 5 starts of the rate, got 6", "strict"),
        ("'key', 'a', weight => 0", "weight must be from 1 to 100, got 0", "1 is usual"),
        ("'queue', 'a', weight => 2", "weight, ordered and on_dead are of keys, not of a queue", "leave them out"),
        ("'task', 'a:b', ordered => true", "are of keys, not of a task", "leave them out"),
        ("'key', 'a', ordered => true, concurrency => 2", "ordered needs concurrency 1, got 2", "one after the other"),
        ("'key', 'a', on_dead => 'halt'", "on_dead must be 'go on' or 'stop', got 'halt'", "usual"),
        ("'key', 'a', on_dead => 'stop'", "on_dead stop is of ordered keys", "say ordered"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_with_what_to_do(conn: Conn, said: str, fault: str, advice: str) -> None:
    with pytest.raises(REFUSED, match=fault) as refused:
        conn.execute(f"select pgqueue.set_limit({said})")
    assert advice in (refused.value.diag.message_hint or "")


def test_what_the_database_refuses_is_a_fault_of_the_call(conn: Conn) -> None:
    pgqueue.set_limit(conn, "key", "k", rate="100/m", burst=20)
    fault = r"burst must be at most the 10 starts .* 0 lifts"
    with pytest.raises(pgqueue.OptionError, match=fault), conn.transaction():
        pgqueue.set_limit(conn, "key", "k", rate="10/m")
    assert limit(conn, "key", "k") == {"starts": 100, "period": 60, "burst": 20}


def test_a_queue_knows_that_a_limit_holds_its_jobs_back(conn: Conn) -> None:
    pgqueue.set_limit(conn, "queue", "mail", concurrency=10)
    assert limited(conn, "mail") is True
    pgqueue.set_limit(conn, "queue", "mail", concurrency=0)
    assert limited(conn, "mail") is False
    pgqueue.set_limit(conn, "queue", "mail", rate="50/s")
    assert limited(conn, "mail") is True
    assert pgqueue.remove_limit(conn, "queue", "mail") is True
    assert limited(conn, "mail") is False
    assert pgqueue.remove_limit(conn, "queue", "mail") is False
    pgqueue.set_limit(conn, "key", "mail", concurrency=1)
    assert limited(conn, "mail") is False


def test_the_longest_name_that_fits_rules_a_key(conn: Conn) -> None:
    for name in ("*", "tenant:*", "tenant:7*", "tenant:7", "other:*"):
        pgqueue.set_limit(conn, "key", name, concurrency=1)

    def ruled_by(key: str) -> str | None:
        row = conn.execute("select name from pgqueue.rule_of_key(%s)", [key]).fetchone()
        return row and row[0]

    assert ruled_by("tenant:7") == "tenant:7"
    assert ruled_by("tenant:77") == "tenant:7*"
    assert ruled_by("tenant:8") == "tenant:*"
    assert ruled_by("tenant:") == "tenant:*"
    assert ruled_by("tenant") == "*"
    pgqueue.remove_limit(conn, "key", "*")
    assert ruled_by("tenant") is None
    assert ruled_by("Tenant:8") is None


def test_two_who_set_different_fields_at_once_both_have_their_way(conn: Conn, connect: Connect) -> None:
    first, second = connect(), connect(autocommit=True)
    pgqueue.set_limit(first, "key", "k", concurrency=3)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(lambda: pgqueue.set_limit(second, "key", "k", rate="5/s"))
        first.commit()
        assert waiting.result(timeout=30) is False
    assert limit(conn, "key", "k") == {"concurrency": 3, "starts": 5, "period": 1}


def test_a_limit_that_was_rolled_back_never_was(conn: Conn) -> None:
    pgqueue.set_limit(conn, "queue", "mail", concurrency=1)
    conn.rollback()
    assert (limit(conn, "queue", "mail"), limited(conn, "mail")) == (None, None)
