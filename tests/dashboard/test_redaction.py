"""What sounds like a secret is taken out on the server: of arguments, results, labels, and errors that repeat it."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgqueue.dashboard import Dashboard
from pgqueue.leaving_out import HIDDEN, without
from pgqueue.redaction import Redaction, written
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.dashboard.filled import ADDRESSES, FORMS, fill, planted

Conn = psycopg.Connection[Any]
SECRET = "hush-7f3a91"


def test_planted_secrets_are_found_on_no_page(new_app: NewApp, conn: Conn) -> None:
    app = new_app(actions=True)
    found = fill(conn, args=planted(SECRET))
    said = f"no such key {SECRET}: {json.dumps(SECRET)}"
    of_dead = "update pgqueue.attempts set error = %s, traceback = %s where job_id = %s"
    conn.execute(of_dead, [said, f"Traceback\n{said}", found.dead])
    conn.execute("update pgqueue.dead_jobs set error = %s", [said])
    conn.execute(
        "insert into pgqueue.results select id, now() + interval '1 day', %s from pgqueue.jobs",
        [json.dumps({"token": SECRET})],
    )
    conn.execute("update pgqueue.job_logs set line = %s", [f"{said}; token=unsaid-{SECRET}"])
    for table in ("jobs", "dead_jobs", "attempts"):
        conn.execute(
            f"update pgqueue.{table} set labels = %s where args is not null", [json.dumps({"api-key": SECRET})]
        )
    for shape in (*ADDRESSES, *FORMS):
        text = ask(app, found.address(shape)).text
        assert SECRET not in text, shape
    assert HIDDEN in ask(app, f"/jobs/{found.dead}").text


@pytest.mark.parametrize(
    "text",
    [
        '{"password": "%s", "deep": ' + "[" * 3000 + "]" * 3000 + "}",
        '{"pass\\u0077ord": "%s", "deep": ' + "[" * 3000 + "]" * 3000 + "}",
    ],
)
def test_what_cannot_be_read_and_holds_a_secret_is_not_shown(text: str, app: Dashboard, conn: Conn) -> None:
    found = fill(conn)
    conn.execute("update pgqueue.dead_jobs set args = %s::json, error = %s", [text % SECRET, f"bad {SECRET}"])
    of_dead = "update pgqueue.attempts set error = %s, traceback = %s where job_id = %s"
    conn.execute(of_dead, [SECRET, SECRET, found.dead])
    for address in (f"/jobs/{found.dead}", "/dead", "/jobs", "/"):
        assert SECRET not in ask(app, address).text, address


def test_the_last_of_keys_that_stand_twice_holds_and_none_is_shown() -> None:
    told = Redaction().of_json('{"token": "one-secret", "token": "two-secret", "n": 1.10}')
    assert "secret" not in told.text
    assert "1.10" in told.text


def test_further_keys_can_be_named(new_app: NewApp, conn: Conn) -> None:
    found = fill(conn, args={"birthday": SECRET})
    assert SECRET in ask(new_app(), f"/jobs/{found.dead}").text
    assert SECRET not in ask(new_app(redact=lambda key: key == "birthday"), f"/jobs/{found.dead}").text


def test_a_secret_is_taken_out_of_a_text_in_whatever_quotes_it_stands() -> None:
    secret = 'a"b\\c'
    for said in (secret, repr(secret), json.dumps(secret)):
        told = without(f"x {said} y", [secret])
        assert told is not None
        assert 'a"b' not in told.replace('\\"', '"')
    assert without("x", None) == HIDDEN
    assert without(None, None) is None


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_holds_no_secret_is_shown_as_it_is(value: Any) -> None:
    told = Redaction(None)
    text = json.dumps(value)
    shown = told.of_json(text)
    if not shown.is_whole:
        return
    assert json.loads(shown.text) == value


@pytest.mark.parametrize("digits", ["1.10", "1e400", "-0.0", "12345678901234567890.123456789", "9" * 5000])
def test_numbers_keep_their_digits(digits: str) -> None:
    assert Redaction().of_json(f"[{digits}]").text == written(json.loads(f'["{digits}"]')).replace('"', "")
