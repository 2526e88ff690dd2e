"""What a page does with a job is what the command does, under the same name in the audit."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.dashboard import Dashboard, User
from pgqueue.job import JobState
from pgqueue.leaving_out import HIDDEN
from pgqueue.store import audit, execute
from tests.cli import shop
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.dashboard.posting import act, address, fields_of, form, post, said
from tests.factories import enqueue, job, make, state

Conn = psycopg.Connection[Any]


@pytest.fixture
def acting(new_app: NewApp) -> Dashboard:
    return new_app(actions=True)


def last(conn: Conn) -> tuple[str, list[UUID] | None]:
    row = execute(conn, audit.newest(None, 1))[0]
    return row.action, row.job_ids


def test_a_job_is_moved_and_the_audit_has_it_under_the_commands_name(acting: Dashboard, conn: Conn) -> None:
    for name, before, fields, after, action in (
        ("retry", JobState.DEAD, {}, JobState.READY, "jobs retry"),
        ("retry", JobState.RETRYING, {}, JobState.READY, "jobs retry"),
        ("due-now", JobState.SCHEDULED, {}, JobState.READY, "jobs due-now"),
        ("cancel", JobState.READY, {}, JobState.CANCELLED, "jobs cancel"),
        ("cancel", JobState.RUNNING, {}, JobState.RUNNING, "jobs cancel"),
        ("bury", JobState.READY, {}, JobState.DEAD, "jobs bury"),
        ("priority", JobState.READY, {"level": "9"}, JobState.READY, "jobs priority 9"),
        ("snooze", JobState.READY, {"for": "1h"}, JobState.SCHEDULED, "jobs snooze until "),
        (
            "snooze",
            JobState.READY,
            {"until": "2031-05-01T09:30+02:00"},
            JobState.SCHEDULED,
            "jobs snooze until 2031-05",
        ),
        ("edit", JobState.DEAD, {"args": "[7]"}, JobState.DEAD, "jobs edit"),
    ):
        job_id = fresh(conn, before)
        answer = act(acting, address("job", name, job_id), **fields)
        assert answer.status == 303, (name, answer.text)
        assert state(conn, job_id) is after, name
        written, ids = last(conn)
        assert written.startswith(action)
        assert ids == [job_id]


def fresh(conn: Conn, before: JobState) -> UUID:
    """A job in that state, and no other."""
    conn.execute("truncate pgqueue.jobs, pgqueue.dead_jobs")
    return make(conn, before)


def test_what_cannot_be_done_any_more_is_said_and_not_written_down(acting: Dashboard, conn: Conn) -> None:
    for name, before, fields, reason in (
        ("retry", JobState.SUCCEEDED, {}, "has succeeded already"),
        ("cancel", JobState.DEAD, {}, "is dead already"),
        ("bury", JobState.SUCCEEDED, {}, "does not wait"),
        ("priority", JobState.RUNNING, {"level": "9"}, "does not wait"),
        ("snooze", JobState.CANCELLED, {"for": "1h"}, "does not wait"),
        ("edit", JobState.RUNNING, {"args": "[7]"}, "only a job that waits or is dead"),
    ):
        job_id = fresh(conn, before)
        assert reason in said(acting, act(acting, address("job", name, job_id), **fields)), name
        assert state(conn, job_id) is before
        assert execute(conn, audit.newest(None, 1)) == []


def test_a_job_has_the_buttons_of_its_state(acting: Dashboard, conn: Conn) -> None:
    def buttons(which: JobState) -> list[str]:
        page = ask(acting, f"/jobs/{make(conn, which)}").text
        return [name for name in NAMES if f"/act/job/{name}?" in page]

    assert buttons(JobState.DEAD) == ["retry", "edit", "run-again"]
    assert buttons(JobState.RUNNING) == ["cancel", "run-again"]
    assert buttons(JobState.SUCCEEDED) == ["run-again"]
    assert buttons(JobState.SCHEDULED) == ["due-now", "edit", "cancel", "run-again", "priority", "snooze", "bury"]


NAMES = ["retry", "due-now", "edit", "cancel", "run-again", "priority", "snooze", "bury"]


def test_an_edit_keeps_the_old_arguments_and_the_secrets_that_stood_there_as_dots(
    acting: Dashboard, conn: Conn
) -> None:
    args = {"to": "ann", "password": "hush-7f3a91", "deep": [{"token": "hush-2"}], "n": 12345678901234567890123}
    job_id = make(conn, JobState.DEAD, args=args)
    at = address("job", "edit", job_id)
    page = form(acting, at)
    assert "hush" not in page.text
    typed = {"to": "bob", "password": HIDDEN, "deep": [{"token": HIDDEN}], "n": 12345678901234567890123}
    assert post(acting, at, {**fields_of(page), "args": json.dumps(typed)}).status == 303
    assert job(conn, job_id).args == {**args, "to": "bob"}
    who, old = conn.execute("select who, old_args from pgqueue.revisions").fetchone() or ()
    assert (who, old) == ("local", args)


def test_dots_that_stand_for_no_certain_secret_are_refused(acting: Dashboard, conn: Conn) -> None:
    args = {"deep": [{"token": "hush-2", "of": "ann"}]}
    job_id = make(conn, JobState.DEAD, args=args)
    for typed in (
        {"deep": [{"token": HIDDEN}, {"token": HIDDEN}]},
        {"deep": [{"token": HIDDEN, "of": "bob"}]},
        {"deep": [], "other": HIDDEN},
        {"deep": {"token": HIDDEN}},
        [HIDDEN],
    ):
        assert act(acting, address("job", "edit", job_id), args=json.dumps(typed)).status == 422, typed
        assert job(conn, job_id).args == args


def test_what_are_no_arguments_is_refused(acting: Dashboard, conn: Conn) -> None:
    job_id = make(conn, JobState.DEAD, args=[1])
    for typed in ("", "{a: 1}", "42", "[" * 9_999, '["\\ud800"]', "[1e999]"):
        assert act(acting, address("job", "edit", job_id), args=typed).status == 422, typed[:20]
    assert job(conn, job_id).args == [1]


def test_arguments_that_another_has_changed_meanwhile_are_not_written_over(acting: Dashboard, conn: Conn) -> None:
    job_id = make(conn, JobState.DEAD, args=[1])
    at = address("job", "edit", job_id)
    mine = fields_of(form(acting, at))
    assert act(acting, at, args="[2]").status == 303
    answer = post(acting, at, {**mine, "args": "[3]"})
    assert answer.status == 422
    assert "changed by somebody else" in answer.text
    assert "[3]" in answer.text
    assert job(conn, job_id).args == [2]


def test_arguments_must_fit_a_task_that_this_process_knows(acting: Dashboard, conn: Conn) -> None:
    job_id = make(conn, JobState.DEAD, args=[1])
    conn.execute("update pgqueue.dead_jobs set target = 'tests.cli.shop:send_receipt'")
    assert shop.send_receipt is not None
    answer = act(acting, address("job", "edit", job_id), args='{"no_such": 1}')
    assert answer.status == 422
    assert "its arguments are send_receipt" in answer.text


def test_a_job_is_run_again_as_a_copy_with_other_arguments(acting: Dashboard, conn: Conn) -> None:
    first = make(conn, JobState.SUCCEEDED, args={"n": 1}, labels={"by": "ann"}, priority=7, max_attempts=3)
    answer = act(acting, address("job", "run-again", first), args='{"n": 2}')
    copy = UUID((answer.header("location") or "").split("/")[-1].split("?")[0])
    made = job(conn, copy)
    assert copy != first
    assert (made.args, made.labels, made.state) == ({"n": 2}, {"by": "ann"}, JobState.READY)
    assert last(conn) == ("jobs run-again", [first])


def test_a_copy_is_not_made_while_a_live_job_has_its_key(acting: Dashboard, conn: Conn) -> None:
    live = enqueue(conn, [1], unique_key="k")
    answer = act(acting, address("job", "run-again", live))
    assert "nothing was added" in said(acting, answer)
    assert conn.execute("select count(*) from pgqueue.jobs").fetchone() == (1,)


def test_secrets_are_revealed_to_those_who_may_see_arguments_and_that_is_written_down(
    new_app: NewApp, conn: Conn
) -> None:
    job_id = make(conn, JobState.DEAD, args={"password": "hush-7f3a91", "n": 1.10})
    at = address("job", "reveal", job_id)
    operator = new_app(actions=True, auth=lambda _: User("ann", "operator"))
    assert "hush" not in ask(operator, f"/jobs/{job_id}").text
    assert f"/act/job/reveal?of={job_id}" in ask(operator, f"/jobs/{job_id}").text
    shown = act(operator, at)
    assert shown.status == 200
    assert "hush-7f3a91" in shown.text
    assert shown.header("cache-control") == "no-store"
    assert last(conn) == ("jobs reveal", [job_id])
    blind = new_app(actions=True, auth=lambda _: User("bob", "operator", scopes=["-view_args"]))
    assert form(blind, at).status == 403
    assert "hush" not in form(blind, address("job", "edit", job_id)).text


def test_who_may_not_see_arguments_runs_a_job_again_with_those_it_had(new_app: NewApp, conn: Conn) -> None:
    first = make(conn, JobState.SUCCEEDED, args={"n": "for nobody"})
    app = new_app(actions=True, auth=lambda _: User("bob", "operator", scopes=["-view_args"]))
    at = address("job", "run-again", first)
    assert "for nobody" not in form(app, at).text
    assert act(app, at).status == 303
    assert conn.execute("select args from pgqueue.jobs").fetchone() == ({"n": "for nobody"},)
