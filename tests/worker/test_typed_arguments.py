"""Arguments and results by their types, and by codecs, through the database and every kind of executor."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import inspect
import json
import uuid
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue import sealing
from pgqueue.errors import AnnotationWarning, ArgumentError, CodecError, OptionError, SignatureError
from pgqueue.outcome import Move
from pgqueue.redaction import Redaction
from pgqueue.store import secrecy
from pgqueue.tasks import Modules
from pgqueue.worker.attempts import arguments
from pgqueue.worker.attempts.attempt import Attempts
from tests.factories import Conn
from tests.words import typed_values
from tests.words.typed_values import Colour, Line, Order
from tests.worker import typed_tasks as tasks
from tests.worker.claims import claim
from tests.worker.running import KINDS, Desk, StartThreaded

TASKS = "tests.worker.typed_tasks"
MOMENT = dt.datetime(2026, 2, 28, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
ORDER = Order(MOMENT, [Line(sku="a", price=decimal.Decimal("1.50"))], Colour.GREEN)


@pytest.fixture
def attempts() -> Iterator[Attempts]:
    """Attempts that need no database."""
    runner = Attempts("", Modules((TASKS,)), ())
    yield runner
    runner.close()


@pytest.mark.parametrize("kind", KINDS)
def test_values_go_in_as_they_are_and_arrive_typed_with_every_executor(
    start: StartThreaded, desk: Desk, kind: str
) -> None:
    start(executor=kind, app=[TASKS])
    conn = desk.conn
    if kind == "async":
        job = tasks.ship_async.enqueue(conn, ORDER, when=MOMENT)
        read = tasks.read_async.enqueue(conn, "ä" * 100)
        assert tasks.ship_async.result(conn, job, 20) == ORDER
        assert tasks.read_async.result(conn, read, 20) == "ä" * 100
        return
    job = tasks.ship.enqueue(conn, order=ORDER, when=MOMENT, by=Colour.GREEN)
    by_name = pgqueue.enqueue(conn, f"{TASKS}:ship", {"order": ORDER, "when": MOMENT})
    within = tasks.ship_with.enqueue(conn, MOMENT.date(), ORDER.lines[0], ORDER.lines[0])
    plain = pgqueue.enqueue(conn, f"{TASKS}:plain_ship", [MOMENT.date()], store_result=True)
    read = tasks.read.enqueue(conn, "ä" * 100, dt.date(2026, 1, 2))
    read_within = tasks.read_with.enqueue(conn, "secret")
    given = pgqueue.enqueue(conn, f"{TASKS}:given", {"day": MOMENT.date()})
    assert tasks.ship.result(conn, job, 20) == tasks.ship.result(conn, by_name, 20) == {uuid.UUID(int=7): ORDER}
    assert tasks.ship_with.result(conn, within, 20) == [ORDER.lines[0]] * 2
    assert pgqueue.result(conn, plain, 20) == "2026-02-28"
    assert tasks.read.result(conn, read, 20) == ("ä" * 100, dt.date(2026, 1, 2))
    assert pgqueue.result(conn, read, 20) == ["ä" * 100, "2026-01-02"]
    assert tasks.read_with.result(conn, read_within, 20) == "secret"
    assert pgqueue.result(conn, given, 20) == "session datetime.date(2026, 2, 28)"


def test_who_does_not_import_the_task_writes_the_same_json(conn: Conn) -> None:
    known = tasks.ship.enqueue(conn, ORDER, MOMENT)
    unknown = pgqueue.enqueue(conn, "elsewhere.tasks:ship", (ORDER, MOMENT))
    texts = conn.execute("select args::text from pgqueue.jobs where id = any (%s)", [[known.id, unknown.id]]).fetchall()
    assert len(texts) == 2
    assert len(set(texts)) == 1
    seen = conn.execute("select (args ->> 1)::timestamptz from pgqueue.jobs where id = %s", [known.id]).fetchone()
    assert seen == (MOMENT,)


def test_equal_sets_make_equal_unique_keys(conn: Conn) -> None:
    first = pgqueue.enqueue(conn, "elsewhere.tasks:tag", [{"b", "a", "c"}], unique="args")
    again = pgqueue.enqueue(conn, "elsewhere.tasks:tag", [frozenset(("c", "a", "b"))], unique="args")
    assert (again.id, again.created) == (first.id, False)


def test_a_result_is_typed_on_async_connections_too(dsn: str) -> None:
    async def ask() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as conn:
            job = await tasks.read.enqueue(conn, "x")
            await conn.commit()
            with pytest.raises(pgqueue.ResultTimeout):
                await tasks.read.result(conn, job, timeout=0)

    asyncio.run(ask())
    assert tasks.read.returned(["x", "2026-01-02"]) == ("x", dt.date(2026, 1, 2))
    assert tasks.read.returned(None) is None
    with pytest.raises(ArgumentError, match=r"read: result: expected a list of 2"):
        tasks.read.returned(5)


@pytest.mark.parametrize(
    ("args", "fault"),
    [
        ({"order": ORDER}, r"missing a required argument: 'when'; its arguments are ship\(order: 'Order', when"),
        ([ORDER, MOMENT, 1], "too many positional arguments"),
        ({"order": ORDER, "when": MOMENT, "colour": 1}, "unexpected keyword argument 'colour'"),
        (None, "missing a required argument"),
    ],
)
def test_arguments_that_the_function_does_not_take_are_refused_before_a_row_exists(
    conn: Conn, args: Any, fault: str
) -> None:
    for target in (f"{TASKS}:ship", tasks.ship, tasks.ship.function):
        with pytest.raises(SignatureError, match=fault) as caught:
            pgqueue.enqueue(conn, target, args)
        assert isinstance(caught.value, TypeError)
        with pytest.raises(SignatureError):
            pgqueue.enqueue_many(conn, [pgqueue.NewJob(target, args)])
        with pytest.raises(SignatureError):
            pgqueue.schedule(conn, "s", target if target is not tasks.ship.function else tasks.ship, args, every=60)
    assert conn.execute("select count(*) from pgqueue.jobs").fetchone() == (0,)


def test_what_a_decorator_or_a_transaction_gives_is_not_asked_of_who_enqueues(conn: Conn) -> None:
    assert pgqueue.enqueue(conn, tasks.given, {"day": dt.date(2026, 1, 1)}).created
    assert pgqueue.enqueue(conn, tasks.ship_with, [dt.date(2026, 1, 1)]).created
    assert pgqueue.enqueue(conn, tasks.plain_ship, [dt.date(2026, 1, 1)]).created
    with pytest.raises(SignatureError, match=r"ship_with\(when"):
        pgqueue.enqueue(conn, tasks.ship_with, [])
    with pytest.raises(SignatureError, match=r"plain_ship\(when"):
        pgqueue.enqueue(conn, tasks.plain_ship, [1, 2])


def test_a_value_that_does_not_decode_is_dead_at_once_and_told_with_its_path(attempts: Attempts) -> None:
    done = attempts.run(claim("", target=f"{TASKS}:ship", args='{"order": {"made": "x"}, "when": 1}')).settlement
    assert (done.move, done.reason, done.error_type) == (Move.END, "unbindable", "Unbindable")
    assert done.error == (
        'args["order"]["made"]: expected a datetime with its offset, as 2026-02-28T09:30:00+00:00, got "x"'
    )
    deep = '{"order": ' + '{"made": [' * 400 + "]}" * 400 + ', "when": 1}'
    assert attempts.run(claim("", target=f"{TASKS}:ship", args=deep)).settlement.reason in ("unbindable", "unreadable")


def test_a_sensitive_value_is_hidden_in_whatever_form_an_error_says_it(attempts: Attempts) -> None:
    target = f"{TASKS}:enrol"
    done = attempts.run(claim("", "1980-05-17x", "AAEC", target=target)).settlement
    assert done.error == "args[0]: expected a date as 2026-02-28, got •••••"
    done = attempts.run(claim("", "1980-05-17", "c2VjcmV0LTEyMzQ=", "Ann", target=target)).settlement
    said = f"{done.error}{done.traceback}"
    assert "Ann was born •••••" in said
    for secret in ("1980", "secret-1234", "c2Vj", "5, 17"):
        assert secret not in said


def test_a_plain_task_is_called_with_what_json_has_and_nothing_is_asked_of_it(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("a plain job was converted")

    for name in ("taken", "OwnContext"):
        monkeypatch.setattr(f"pgqueue.worker.attempts.call.{name}", never)
    for name in ("opened", "result_of"):
        monkeypatch.setattr(arguments, name, never)
    done = attempts.run(claim("", 5, {"a": [1]}, target=f"{TASKS}:plain", store_result=True)).settlement
    assert (done.move, done.result) == (Move.SUCCEED, "5")
    assert tasks.plain.is_plain
    assert tasks.plain.calling.conversion is None


def test_doubts_about_annotations_are_told_once_at_the_function() -> None:
    task = pgqueue.Task(typed_values.unresolvable)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        assert task.calling.conversion is not None
        assert not task.is_plain
    assert [each.category for each in told] == [AnnotationWarning] * 2
    assert "the annotation Missing cannot be evaluated" in str(told[0].message)
    assert told[0].filename == typed_values.__file__
    assert told[0].lineno == inspect.getsourcelines(typed_values.unresolvable)[1]
    assert task.using(queue="other").calling is task.calling


def sealed_row(conn: Conn, job: pgqueue.Enqueued) -> dict[str, Any]:
    ((args,),) = conn.execute("select args from pgqueue.jobs where id = %s", [job.id]).fetchall()
    return dict(args)


def test_what_a_codec_writes_stands_sealed_in_the_database_and_is_shown_as_dots(conn: Conn) -> None:
    job = tasks.read.enqueue(conn, text="hush")
    row = sealed_row(conn, job)
    assert row.keys() == {"$codec", "data"}
    assert "hush" not in str(row)
    assert json.loads(zlib.decompress(__import__("base64").b64decode(row["data"]))) == {"text": "hush"}
    (shown,) = secrecy.shown(conn, [pgqueue.get_job(conn, job)])
    assert shown.args == {"$codec": "zip", "data": "•••••"}
    assert Redaction().of_args("", json.dumps(row)).text.count("•••••") == 1
    # The same by every way in, and once only.
    for way in (
        lambda: pgqueue.enqueue(conn, f"{TASKS}:read", {"text": "hush"}),
        lambda: pgqueue.enqueue(conn, tasks.read, args=tasks.read.job("hush").args),
        lambda: pgqueue.get_job(conn, pgqueue.enqueue_many(conn, [tasks.read.job("hush")])[0]),
    ):
        assert sealed_row(conn, way())["$codec"] == "zip"
    # Without arguments there is nothing to seal; and what is equal may not be written equally.
    with pytest.raises(OptionError, match="say unique_key"):
        tasks.read.using(unique="args").enqueue(conn, "x")


def test_who_knows_no_codec_may_enqueue_plain_json(attempts: Attempts) -> None:
    done = attempts.run(claim("", "x", "2026-01-02", target=f"{TASKS}:read", store_result=True)).settlement
    assert sealing.opened(json.loads(done.result or "")) == ["x", "2026-01-02"]


def test_values_of_a_codec_may_be_typed_already(attempts: Attempts) -> None:
    args = json.dumps(tasks.take.job({"a": (1, 2)}, MOMENT.astimezone(dt.UTC)).args)
    done = attempts.run(claim("", target=f"{TASKS}:take", args=args, store_result=True)).settlement
    assert done.move is Move.SUCCEED, done
    assert tasks.take.returned(sealing.opened(json.loads(done.result or ""))) == {"a": (1, 2)}


@pytest.mark.parametrize("target", ["sealed_for_others", "read", "plain"])
def test_a_worker_that_lacks_a_codec_gives_the_job_back_and_it_is_never_dead_for_that(
    attempts: Attempts, target: str
) -> None:
    args = json.dumps({"$codec": "of nobody", "data": "AAAA"})
    done = attempts.run(claim("", target=f"{TASKS}:{target}", args=args)).settlement
    assert (done.move, done.started, done.error_type) == (Move.RELEASE, False, "pgqueue.CodecError")
    assert "of nobody" in (done.error or "")
    # Not sooner and sooner again; in the end it is charged, as its retry policy says.
    later = attempts.run(claim("", target=f"{TASKS}:{target}", args=args, claim=9)).settlement
    assert later.delay > done.delay > 0
    last = attempts.run(claim("", target=f"{TASKS}:{target}", args=args, claim=40, max_attempts=3)).settlement
    assert last.move is Move.RETRY


def test_content_that_a_codec_cannot_read_is_given_back_and_nothing_of_it_is_said(attempts: Attempts) -> None:
    args = json.dumps({"$codec": "zip", "data": "c2VjcmV0"})
    done = attempts.run(claim("", target=f"{TASKS}:read", args=args)).settlement
    assert (done.move, done.error) == (Move.RELEASE, "the codec 'zip' could not read this: error")


def test_what_is_sealed_and_sensitive_is_hidden_in_errors(attempts: Attempts) -> None:
    args = json.dumps(tasks.pay.job("4815-1623", 42).args)
    done = attempts.run(claim("", target=f"{TASKS}:pay", args=args)).settlement
    assert done.error == "pin •••••, amount 42"
    assert "4815" not in (done.traceback or "")
    assert Redaction(declared={"t": (tasks.pay.secrecy,)}).of_args("t", args).secrets is None  # type: ignore[dict-item]


def test_a_codec_that_is_not_here_is_an_error_of_who_enqueues_or_asks(conn: Conn) -> None:
    with pytest.raises(CodecError, match=r"no codec 'of nobody' here, only .*register_codec") as caught:
        tasks.sealed_for_others.enqueue(conn, "x")
    assert caught.value.codec == "of nobody"
    pgqueue.register_codec("bad", lambda content: "text", bytes)  # type: ignore[arg-type,return-value]
    with pytest.raises(CodecError, match="must answer bytes, got str"):
        sealing.sealed("bad", 1, "result")
    for name, word in (("", "a codec's name"), ("x", "decode of the codec 'x'")):
        with pytest.raises(OptionError, match=word):
            pgqueue.register_codec(name, bytes, None)  # type: ignore[arg-type]


def test_large_arguments_may_be_allowed_by_a_task_or_a_call(conn: Conn) -> None:
    text = "x" * 1_200_000
    with pytest.raises(ArgumentError, match="max_args=1_200_0"):
        pgqueue.enqueue(conn, "elsewhere:f", [text])
    assert pgqueue.enqueue(conn, "elsewhere:f", [text], max_args=2_000_000).created
    assert tasks.read.using(max_args=2_000_000).enqueue(conn, text).created
    assert pgqueue.enqueue_many(conn, [pgqueue.NewJob("elsewhere:f", [text], max_args=2_000_000)])
    with pytest.raises(OptionError, match="max_args must be a whole number"):
        pgqueue.NewJob("elsewhere:f", max_args=0)
