"""P10: keys that are made of arguments, what SQL calls all of it, and what is refused."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.job import NewJob, option_names
from pgqueue.store import enqueueing, execute
from tests.factories import (
    TARGET,
    Conn,
    claim,
    count,
    enlist,
    job,
)
from tests.store.keyed import WAYS, by_any, one

VALUES = [
    None,
    [],
    {},
    [1, 1.0, 1e22, -0.0, True, None],
    ["ü", '\x1f\x7f\t\n"\\/', "\u2028", "😀"],
    {"b": [{"z": 1, "a": {}}], "a": "x", "Ä": 1, "aa": 2, "\U0001f600": 3, "\uffff": 4},
    ["nul \x00 inside"],
]


@pytest.mark.parametrize("args", VALUES[:-1])
def test_sql_and_python_make_the_same_key_of_the_same_arguments(db: Conn, args: Any) -> None:
    made = one(db, args, unique="args").id
    text = db.execute("select jsonb_pretty(args::text::jsonb), args::text from pgqueue.jobs").fetchone()
    assert text is not None
    # jsonb writes numbers in a way of its own.
    for written in text[1:] if "." in text[1] else text:
        call = "select id, created from pgqueue.enqueue_unique(%s, %s::text::json)"
        assert db.execute(call, [TARGET, written]).fetchone() == (made, False)


def test_arguments_that_no_text_can_hold_make_a_key_too(db: Conn) -> None:
    made = one(db, VALUES[-1], unique="args")
    assert one(db, VALUES[-1], unique="args") == (made.id, False)
    call = "select id from pgqueue.enqueue_unique('a:b', (chr(91) || to_json(chr(92))::text || chr(93))::json)"
    assert db.execute(call).fetchone() == db.execute(call).fetchone()
    nul = "select id from pgqueue.enqueue_unique('a:b', ('[\"' || chr(92) || 'u0000\"]')::json)"
    assert db.execute(nul).fetchone() == db.execute(nul).fetchone()


def test_another_order_of_keys_is_the_same_call_and_other_arguments_or_another_task_are_not(db: Conn) -> None:
    first = one(db, {"a": 1, "b": 2}, unique="args").id
    assert one(db, {"b": 2, "a": 1}, unique="args").id == first
    assert one(db, {"a": 1, "b": 3}, unique="args").created
    assert execute(db, enqueueing.enqueue(NewJob("shop.tasks:other", {"a": 1, "b": 2}, unique="args"))).created


@WAYS
def test_a_key_of_arguments_is_free_at_the_start_if_so_asked(db: Conn, ask: str) -> None:
    first = by_any(ask, db, [1], unique="args", unique_until="start")
    assert by_any(ask, db, [1], unique="args", unique_until="start") == first
    claim(db, enlist(db))
    assert by_any(ask, db, [1], unique="args", unique_until="start") != first


def test_sql_knows_every_option_by_the_same_name(db: Conn) -> None:
    row = db.execute("select proargnames from pg_proc where oid = 'pgqueue.enqueue_unique'::regproc").fetchone()
    assert row is not None
    answers = {"id", "created", "replaced"}
    # In SQL `unique` is a reserved word: a key that is not said is made of the arguments. Follow-ups are said by
    # add_follow_up() there, and arguments have no bound.
    elsewhere = {"notify", "unique", "on_success", "on_failure", "on_end", "dead_to", "max_args"}
    assert set(row[0]) - answers == {"target", "args", *option_names()} - elsewhere


def test_sql_says_what_was_done(db: Conn) -> None:
    call = """
    select id, created, replaced from pgqueue.enqueue_unique(
      'a:b', %s, unique_key => 'k', unique_until => 'start', on_conflict => 'replace', max_wait => '1 hour',
      unique_for => '1 minute', queue => 'mail', priority => 7, delay => '5 minutes', ttl => '1 hour')
    """
    first = db.execute(call, ["[1]"]).fetchone()
    second = db.execute(call, ["[2]"]).fetchone()
    assert first is not None
    assert (first[1:], second) == ((True, False), (first[0], False, True))
    found = job(db, first[0])
    assert (found.args, found.queue, found.priority, found.unique_key) == ([2], "mail", 7, "k")


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("'shop.send'", "target must read"),
        ("'a:b', priority => 10", "priority must be from 0 to 9"),
        ("'a:b', unique_until => 'stop'", "unique_until must be end or start, got 'stop'"),
        ("'a:b', unique_until => null", "unique_until must be end or start, got null"),
        ("'a:b', on_conflict => 'ignore'", "on_conflict must be keep, replace or raise"),
        ("'a:b', unique_for => '0'", "unique_for must be more than 0"),
        ("'a:b', max_wait => '-1 s'", "max_wait must be from 0"),
        ("'a:b', delay => '61 s', on_conflict => 'replace'", "needs max_wait"),
    ],
)
def test_sql_refuses_what_makes_no_sense(db: Conn, call: str, fault: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=fault):
        db.execute(f"select pgqueue.enqueue_unique({call})")
    assert count(db, "jobs") == 0


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"unique": "key"}, "unique must be one of args"),
        ({"unique": "args", "unique_key": "k"}, "give unique_key or unique, not both"),
        ({"unique_key": "k", "unique_until": "stop"}, "unique_until must be one of end, start"),
        ({"unique_key": "k", "on_conflict": "ignore"}, "on_conflict must be one of keep, replace, raise"),
        ({"unique_key": "k", "unique_for": 0}, "unique_for must be more than 0"),
        ({"unique_key": "k", "max_wait": -1}, "max_wait must be 0 or more"),
        ({"unique_until": "start"}, "unique_until is about a unique key, and the job has none"),
        ({"max_wait": 0}, "max_wait is about a unique key, and the job has none"),
        ({"unique_key": "k", "on_conflict": "replace", "delay": 61}, "needs max_wait"),
    ],
)
@pytest.mark.parametrize("size", [0, 1, 200])
def test_python_refuses_what_makes_no_sense_before_anything_is_sent(
    db: Conn, options: dict[str, Any], fault: str, size: int
) -> None:
    def call() -> None:
        if size:
            pgqueue.enqueue_many(db, [NewJob(TARGET)] * size + [NewJob(TARGET, **options)])
        else:
            pgqueue.enqueue(db, TARGET, **options)

    with pytest.raises(pgqueue.OptionError, match=fault):
        call()
    assert count(db, "jobs") == 0
