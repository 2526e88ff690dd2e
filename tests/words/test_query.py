"""Queries: what each word means, and what is said of a word that means nothing."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from pgqueue import globs
from pgqueue.errors import QueryError, UsageError
from pgqueue.search import (
    Candidate,
    Matcher,
    asked_for,
    guessed,
    parse,
    parse_kept,
    parse_within,
    replaced,
    within,
    word,
)

NOW = datetime(2031, 5, 1, 12, tzinfo=UTC)
JOB = Candidate(
    id=UUID("0190a7b2-0000-7000-8000-000000000001"),
    queue="mail",
    target="shop.mail:send_receipt",
    state="retrying",
    priority=5,
    attempt=3,
    worker=4711,
    run_at=NOW + timedelta(hours=1),
    started_at=NOW - timedelta(hours=1),
    finished_at=None,
    unique_key="order:7",
    limit_key="tenant:t7",
    reason=None,
    error_type="builtins.OSError",
    error="Connection reset by peer",
    host="web-3",
    labels='{"tenant": "t7", "a.b": "x y"}',
    args='{"user": {"id": 1, "name": "Ann"}, "total": 100.5, "big": 12345678901234567890123, "tags": ["a", null, true],'
    ' "a.b": 1, "day": "2031-05-01"}',
    large=False,
    cause="9f2c00000000",
)


def holds(text: str, **changes: Any) -> bool:
    return Matcher(parse(text, NOW)).matches(JOB._replace(**changes))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "queue:mail",
        "queue:web,mail task:send_* state:dead,retrying",
        "task:shop.mail:send_receipt",
        "target:shop.*",
        "worker:web-* worker:4711",
        "key:order:7 limit:tenant:*",
        "cause:9f2c cause:1,9f2c00000000",
        "-queue:web -task:noise queue!=web",
        'error:"connection reset" type:*OSError',
        "error:nothing,RESET",
        "attempt>2 attempt<=3 attempt:1,3 priority=5",
        "id:0190a7 id:0190a7b2-0000",
        "due>+30m due<+2h started<30m -ended<now",
        "label.tenant:t7 label.a.b:x*",
        'label.a.b="x y"',
        "args.user.id=1 args.user.name:A* args.total>100 args.total<=100.50 args.tags.0:a args.tags.2=true",
        'args.tags.1:null args."a.b"=1 args.big=12345678901234567890123 args.day>=2031-04-30 args.user:*',
        "-args.missing:* args.tags.0=a",
    ],
)
def test_a_job_meets_what_is_said_of_it(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "queue:mai",
        "queue=ma*",
        "-queue:mail",
        "queue!=mail",
        "task:receipt",
        "state:dead",
        "cause:9f2d",
        "error:timeout",
        "attempt>3",
        "id:0190a8",
        "due<now",
        "ended>2h",
        "label.tenant:t8",
        "label.other:*",
        "args.user.id=2",
        "args.user.id>1",
        "args.big=12345678901234567890124",
        "args.tags.3:*",
        "args.missing>1",
        "args.user.name>5z args.user.name>5z args.user.id:01a",
        "since:2h",
    ],
)
def test_a_job_that_is_otherwise_is_not_meant(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("queu:mail", "no field 'queu'; did you mean queue?"),
        ("state:ded", "no job is 'ded'; did you mean dead?"),
        ("timeout", "a word of a query reads field:value, got 'timeout'"),
        ('error:"open', "a quote is not closed"),
        ("queue:", "a value is missing"),
        ("queue:a,,b", "a value is missing"),
        ("queue>a", "queue takes : =, not >"),
        ("queue.name:a", "queue has nothing below it"),
        ("args:1", "say which: args.NAME=VALUE"),
        ("since:soon", "a moment reads 2h (ago)"),
        ("since:99999999999999w", "a moment reads 2h (ago)"),
        ("attempt>x", "attempt is a whole number, got 'x'"),
        ("id:xyz", "a job's id is 32 hexadecimal digits"),
        ("queue:a " * 51, "at most 50 words"),
        ("x" * 9000, "at most 8,000 characters"),
    ],
)
def test_what_is_no_query_says_what_was_meant(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, NOW)
    assert said in str(caught.value)


@pytest.mark.parametrize("args", ["[" * 5000 + "]" * 5000, '{"n": NaN', None])
def test_arguments_that_cannot_be_read_are_told_and_match_nothing(args: str | None) -> None:
    matcher = Matcher(parse("args.n:1", NOW))
    assert not matcher.matches(JOB._replace(args=args))
    assert matcher.unread == (args is not None)


def test_a_number_of_five_thousand_digits_is_compared_exactly() -> None:
    assert holds(f"args.n={'9' * 3000}", args=f'{{"n": {"9" * 3000}}}')
    assert holds("args.n>1", args=f'{{"n": {"9" * 5000}}}')


def test_arguments_too_large_to_be_looked_into_are_told() -> None:
    matcher = Matcher(parse("args.n:1", NOW))
    assert not matcher.matches(JOB._replace(args=None, large=True))
    assert matcher.unread == 1


def test_a_mistake_says_where_it_is_and_how_it_may_be_mended() -> None:
    def wrong(text: str) -> QueryError:
        with pytest.raises(QueryError) as caught:
            parse(text, NOW)
        return caught.value

    error = wrong("since:2h -queu:mail,web state:dead")
    assert (error.place, error.length, error.mended) == (9, 14, "since:2h -queue:mail,web state:dead")
    error = wrong("state:dead,redy task:x")
    assert (error.place, error.length, error.mended) == (0, 15, "state:dead,ready task:x")
    error = wrong('task:x error:"open  ')
    assert (error.place, error.length, error.mended) == (7, 13, None)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.place, again.length, again.mended) == (str(error), 7, 13, None)


def test_words_are_put_into_a_query_and_taken_out() -> None:
    assert (
        replaced('state:dead  queue:"a b" -state:ready', "state", "running") == 'queue:"a b" -state:ready state:running'
    )
    assert replaced("target:x state:dead", "task", None) == "state:dead"
    assert asked_for('queue:"a b" state:dead', "queue") == "a b"
    assert asked_for("queue:a,b", "queue") is None
    assert asked_for("-queue:a", "queue") is None
    assert (guessed("mail"), guessed("shop.mail:send"), guessed("a b")) == ("queue:mail", "task:shop.mail:send", None)
    for name in ("mail", 'a "b" \\ c', "x*", "a,b", "-x", "é ü", "a\nb", "\\"):
        condition = parse(word("queue", name), NOW)
        assert Matcher(condition).matches(JOB._replace(queue=name)), name
        assert not Matcher(condition).matches(JOB._replace(queue=name.replace("*", "yz") + "x")), name


@pytest.mark.parametrize("said", [None, [], ["mail"], ["m*", "!mail.x"], ["!x"], ["a b", "c,d"], ["*", "!mail"], [""]])
def test_among_some_queues_alone_a_query_finds_those_that_exist_for_whoever_asks(said: list[str] | None) -> None:
    for text in ("", "state:retrying", "queue:*", "-queue:mail", "queue:mail,mail.x,bank"):
        among, alone = Matcher(parse_within(said, text, NOW)), Matcher(parse(text, NOW))
        kept = Matcher(parse_kept(within(said, text), NOW))
        for queue in ("mail", "mail.x", "bank", "a b", "c", "c,d", "x"):
            job = JOB._replace(queue=queue)
            wanted = alone.matches(job) and globs.serves(said, queue)
            assert among.matches(job) is kept.matches(job) is wanted, (said, text, queue)


def test_no_glob_takes_for_ever() -> None:
    assert not globs.matches("*a" * 30 + "*b", "a" * 5000)
    assert globs.matches("*a" * 30 + "*b", "a" * 5000 + "b")
    assert globs.matches("a?c*e*", "abcde")
    assert not globs.matches("*ab*ab", "ab")
