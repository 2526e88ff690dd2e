"""What a server says of rows in its errors is kept and told nowhere, unless it is asked for."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import sentry_sdk

from pgqueue import instruments
from pgqueue.description import message_of, traceback_of
from pgqueue.leaving_out import HIDDEN
from pgqueue.sentry import _instrument
from pgqueue.server_details import VARIABLE, without_details
from tests.security import tasks
from tests.watching.test_otel import Traced
from tests.watching.test_sentry import Begin
from tests.worker.running import Desk, StartProcess, StartThreaded

TASKS = "tests.security.tasks"
EMAIL = "hush-51b7@example.org"
KEPT = {
    "attempts": "error_type, error, traceback",
    "dead_jobs": "error",
    "causes": "error_type, error",
    "job_logs": "line",
}


def _fail_all(desk: Desk) -> None:
    desk.conn.execute(tasks.TABLE)
    desk.conn.execute("insert into people values (%s, 30)", [EMAIL])
    tasks.register.enqueue(desk.conn, EMAIL)
    tasks.register.enqueue(desk.conn, f"{EMAIL}.other", -1)
    tasks.register_in_words.enqueue(desk.conn, EMAIL)
    tasks.copy_people.enqueue(desk.conn, EMAIL)
    desk.await_all_ended()


def _kept(desk: Desk) -> str:
    found = [desk.conn.execute(f"select {columns} from pgqueue.{table}").fetchall() for table, columns in KEPT.items()]
    assert all(found)
    return str(found)


def test_no_row_of_the_history_and_no_line_of_the_log_has_them(
    spawn: StartProcess,
    desk: Desk,
) -> None:
    worker = spawn(app=[TASKS], store_logs="info")
    _fail_all(desk)
    worker.process.terminate()
    worker.wait()
    for text in (_kept(desk), worker.text):
        assert EMAIL not in text
        assert f"DETAIL:  {HIDDEN}" in text
        # What names no row stays.
        assert "people_pkey" in text
        assert "people_age_check" in text


def test_who_asks_for_them_has_them(
    spawn: StartProcess,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    worker = spawn(app=[TASKS], store_logs="info")
    _fail_all(desk)
    worker.process.terminate()
    worker.wait()
    assert f"DETAIL:  Key (email)=({EMAIL}) already exists." in _kept(desk)


@pytest.mark.filterwarnings("ignore:The send_default_pii option is deprecated")
def test_no_span_and_nothing_that_sentry_is_sent_has_them(
    begin: Begin,
    traced: Traced,
    start: StartThreaded,
    desk: Desk,
) -> None:
    kept = begin(report="every")
    sentry_sdk.get_global_scope().set_client(sentry_sdk.get_client())
    start(executor="thread", app=[TASKS])
    _fail_all(desk)
    spans = [span.to_json() for span in traced.spans()]
    instruments.remove(_instrument)
    assert len(kept.of("event")) >= 4
    said = [each["value"] for event in kept.of("event") for each in event["exception"]["values"]]
    for text in (*said, *spans):
        assert EMAIL not in text
    assert any("people_pkey" in span for span in spans)


@pytest.fixture
def refused(conn: psycopg.Connection[Any]) -> psycopg.Error:
    """An error of the server about a key that is there."""
    conn.execute(tasks.TABLE)
    conn.execute("insert into people values (%s, 30)", [EMAIL])
    try:
        conn.execute("insert into people values (%s, 30)", [EMAIL])
    except psycopg.Error as error:
        return error
    raise AssertionError("it was not refused")


def test_they_are_known_from_the_error_whatever_language_the_server_speaks(refused: psycopg.Error) -> None:
    said = f"doppelter Schlüsselwert\nDÉTAIL :  {refused.diag.message_detail}"
    assert EMAIL in without_details(said)
    assert EMAIL not in without_details(said, refused)
    around = RuntimeError(said)
    around.__context__ = refused
    assert EMAIL not in message_of(around)
    assert EMAIL not in (traceback_of(around) or EMAIL)


def test_a_value_that_pretends_to_be_the_next_field_is_taken_out_with_the_rest(
    conn: psycopg.Connection[Any],
) -> None:
    conn.execute(tasks.TABLE)
    email = f"a\nHINT:  {EMAIL}\n\n{EMAIL}"
    conn.execute("insert into people values (%s, 30)", [email])
    with pytest.raises(psycopg.Error) as caught:
        conn.execute("insert into people values (%s, 30)", [email])
    assert EMAIL in str(caught.value)
    assert EMAIL not in message_of(caught.value)
    assert EMAIL not in (traceback_of(caught.value) or EMAIL)


def test_the_parameters_that_sqlalchemy_adds_are_left_out(dsn: str) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    with engine.connect() as conn:
        conn.execute(sqlalchemy.text(tasks.TABLE))
        statement = sqlalchemy.text("insert into people (email, age) values (:email, :age)")
        with pytest.raises(sqlalchemy.exc.IntegrityError) as caught:
            conn.execute(statement, {"email": EMAIL, "age": -1})
        assert EMAIL in str(caught.value)
        said = message_of(caught.value)
    engine.dispose()
    assert EMAIL not in said
    assert "insert into people" in said
    assert "sqlalche.me" in said


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("no row\nDETAIL:  Key (a)=(b).", f"no row\nDETAIL:  {HIDDEN}"),
        ("no\nDETAIL:  Key\nof two lines.\nHINT:  Look.", f"no\nDETAIL:  {HIDDEN}\nHINT:  Look."),
        ('no\nCONTEXT:  COPY people, line 1, column age: "x"', f"no\nCONTEXT:  {HIDDEN}"),
        (
            "no\nCONTEXT:  PL/pgSQL function f(integer) line 3 at RAISE\nSQL statement \"select 'x'\"",
            "no\nCONTEXT:  PL/pgSQL function f(integer) line 3 at RAISE",
        ),
        ("no\nLINE 1: insert into a values ('x')\n       ^", f"no\nLINE 1: {HIDDEN}\n       ^"),
        ("no\nLINE 1: select nothing_here\n       ^", "no\nLINE 1: select nothing_here\n       ^"),
        ("KeyError('no\\nDETAIL:  Key.\\nHINT:  Look.')", f"KeyError('no\\nDETAIL:  {HIDDEN}\\nHINT:  Look.')"),
        ("the DETAIL of it", "the DETAIL of it"),
    ],
)
def test_of_a_text_alone_they_are_known_by_their_names(text: str, left: str) -> None:
    assert without_details(text) == left
