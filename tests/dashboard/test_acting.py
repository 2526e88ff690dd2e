"""Acting from a page: nothing happens but what the user wished, what happens is said and written down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.dashboard import Dashboard, User
from pgqueue.dashboard.actions import ACTIONS
from pgqueue.dashboard.auth import ALL, LOCAL
from pgqueue.dashboard.seals import HOUR, HOURS, Seals
from pgqueue.errors import UsageError
from pgqueue.job import JobState
from pgqueue.store import audit, execute
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.dashboard.posting import FORM, SAME_ORIGIN, act, address, fields_of, followed, form, post, said, token_of
from tests.factories import claim_one, make, settle, state

Conn = psycopg.Connection[Any]
SECRET = "a secret of the test's"


@pytest.fixture
def acting(new_app: NewApp) -> Dashboard:
    return new_app(actions=True, secret=SECRET)


@pytest.fixture
def dead(conn: Conn) -> UUID:
    return make(conn, JobState.DEAD)


def acts(conn: Conn) -> list[tuple[str, str, str, str | None]]:
    return [(row.who, row.via, row.action, row.reason) for row in execute(conn, audit.newest(None, 50))]


def test_an_act_is_done_written_down_and_said_on_the_page_to_which_it_leads(
    acting: Dashboard, conn: Conn, dead: UUID
) -> None:
    answer = act(acting, address("job", "retry", dead), reason="the provider is back")
    assert said(acting, answer) == "It is ready again."
    assert (answer.header("location") or "").startswith(f"/jobs/{dead}?")
    assert state(conn, dead) is JobState.READY
    assert acts(conn) == [("local", "dashboard", "jobs retry", "the provider is back")]


def test_a_dashboard_without_actions_reads_alone(app: Dashboard, conn: Conn, dead: UUID) -> None:
    page = ask(app, f"/jobs/{dead}").text
    assert "<form" not in page.replace('<form class="search"', "").replace('<form method="dialog"', "")
    assert form(app, address("job", "retry", dead)).status == 404
    assert post(app, address("job", "retry", dead), {}).status == 405
    assert state(conn, dead) is JobState.DEAD


def test_an_act_that_another_site_asks_for_is_refused_even_with_the_token(
    acting: Dashboard, conn: Conn, dead: UUID
) -> None:
    at = address("job", "retry", dead)
    fields = {"token": token_of(form(acting, at))}
    foreign: list[list[tuple[str, str]]] = [
        [],
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("sec-fetch-site", "none")],
        [("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080")],
        [("origin", "null")],
        [("origin", "https://localhost:8080")],
        [("origin", "http://evil.example")],
        [("origin", "http://localhost:8080.evil.example")],
    ]
    for headers in foreign:
        assert post(acting, at, fields, headers=headers).status == 403, headers
    assert state(conn, dead) is JobState.DEAD
    assert acts(conn) == []


def test_where_a_browser_says_its_origin_alone_that_is_enough(acting: Dashboard, conn: Conn, dead: UUID) -> None:
    at = address("job", "retry", dead)
    fields = {"token": token_of(form(acting, at))}
    assert post(acting, at, fields, headers=[("origin", "http://localhost:8080")]).status == 303
    assert state(conn, dead) is JobState.READY


def test_a_form_without_its_token_or_with_an_old_or_foreign_one_does_nothing_and_is_shown_again(
    acting: Dashboard, conn: Conn, dead: UUID
) -> None:
    at = address("job", "snooze", make(conn, JobState.READY))
    old = Seals(SECRET, now=lambda: 1_000_000.0).token(LOCAL)
    foreign = Seals(SECRET).token(User("eve", "admin"))
    for token in ("", old, foreign, "x", "\N{BULLET}", "0" * 64):
        answer = post(acting, at, {"token": token, "for": "90 parsecs", "reason": "typed with care"})
        assert answer.status == 403
        assert "Nothing was done" in answer.text
        assert "typed with care" in answer.text
        assert "90 parsecs" in answer.text
    assert acts(conn) == []


def test_a_get_changes_nothing_whatever_it_says(acting: Dashboard, conn: Conn, dead: UUID) -> None:
    at = address("job", "retry", dead)
    token = token_of(form(acting, at))
    assert ask(acting, f"{at}&token={token}&reason=x", headers=SAME_ORIGIN).status == 200
    assert state(conn, dead) is JobState.DEAD


def test_a_name_that_a_page_of_the_web_chose_cannot_act(acting: Dashboard, conn: Conn, dead: UUID) -> None:
    at = address("job", "retry", dead)
    fields = {"token": token_of(form(acting, at))}
    for host in ("evil.example", "10.0.0.1", "", None):
        assert post(acting, at, fields, host=host).status == 403
    assert state(conn, dead) is JobState.DEAD


def test_an_act_works_under_a_prefix(acting: Dashboard, conn: Conn, dead: UUID) -> None:
    at = address("job", "retry", dead)
    page = ask(acting, f"/ops/queue{at}", root_path="/ops/queue")
    assert f'action="/ops/queue{at}"' in page.text
    answer = post(acting, f"/ops/queue{at}", {"token": token_of(page)}, root_path="/ops/queue")
    assert (answer.header("location") or "").startswith(f"/ops/queue/jobs/{dead}?")
    assert state(conn, dead) is JobState.READY


def test_what_is_no_form_of_ours_is_refused(acting: Dashboard, conn: Conn, dead: UUID) -> None:
    for kind, body, status in (
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("application/json", b"{}", 415),
        ("text/plain", b"token=x", 415),
        (FORM[1], b"reason=" + b"x" * 70_000, 413),
        (FORM[1], b"reason=%ff%fe", 400),
        (FORM[1], b"reason=\xff", 400),
        (FORM[1], b"&".join(b"a=b" for _ in range(2_000)), 400),
    ):
        headers = [*SAME_ORIGIN, ("content-type", kind)]
        answer = ask(acting, address("job", "retry", dead), method="POST", body=body, headers=headers)
        assert answer.status == status, (kind, body[:20])
    assert state(conn, dead) is JobState.DEAD


def test_what_a_field_does_not_take_is_said_and_nothing_that_was_typed_is_lost(acting: Dashboard, conn: Conn) -> None:
    job = make(conn, JobState.READY)
    answer = act(acting, address("job", "snooze", job), **{"for": "tomorrow", "reason": 'why "not"'})
    assert answer.status == 422
    assert "a time reads like" in answer.text
    assert 'value="tomorrow"' in answer.text
    assert "why &#34;not&#34;" in answer.text
    assert acts(conn) == []


def test_a_job_that_ended_between_the_page_and_the_act_is_left_as_it_is_and_that_is_said(
    acting: Dashboard, conn: Conn
) -> None:
    running = claim_one(conn)
    at = address("job", "cancel", running.id)
    fields = {"token": token_of(form(acting, at))}
    settle(conn, running)
    assert said(acting, post(acting, at, fields)) == f"{running.id} has succeeded already"
    assert state(conn, running.id) is JobState.SUCCEEDED
    conn.execute("delete from pgqueue.attempts")
    assert post(acting, at, fields).status == 404
    assert acts(conn) == []


def test_a_row_that_somebody_holds_is_waited_for_and_then_said(
    acting: Dashboard, conn: Conn, connect: Any, dead: UUID
) -> None:
    other = connect()
    other.execute("select * from pgqueue.dead_jobs where id = %s for update", [dead])
    at = address("job", "retry", dead)
    assert post(acting, at, {"token": token_of(form(acting, at))}).status == 503
    other.rollback()
    assert state(conn, dead) is JobState.DEAD
    assert acts(conn) == []


def test_what_a_role_may_not_is_greyed_with_the_reason_and_refused(new_app: NewApp, conn: Conn, dead: UUID) -> None:
    app = new_app(actions=True, auth=lambda _: User("ann", "viewer"))
    page = ask(app, f"/jobs/{dead}").text
    assert '<button type="button" disabled title="You may not: the role viewer lacks the permission retry.">' in page
    at = address("job", "retry", dead)
    assert form(app, at).status == 403
    assert post(app, at, {"token": Seals(SECRET).token(User("ann"))}).status == 403
    assert state(conn, dead) is JobState.DEAD


def test_another_tenants_job_does_not_exist_for_an_act(new_app: NewApp, conn: Conn) -> None:
    theirs, others = make(conn, JobState.SCHEDULED, queue="mail.eu"), make(conn, JobState.SCHEDULED, queue="bank")
    app = new_app(actions=True, auth=lambda _: User("ann", "admin", ["mail.*"]))
    assert form(app, address("job", "cancel", theirs)).status == 200
    assert form(app, address("job", "cancel", others)).status == 404
    fields = {"token": token_of(form(app, address("job", "cancel", theirs)))}
    assert post(app, address("job", "cancel", others), fields).status == 404
    assert post(app, address("job", "cancel", theirs), fields).status == 303
    assert [state(conn, job) for job in (theirs, others)] == [JobState.CANCELLED, JobState.SCHEDULED]


def test_scopes_add_to_a_role_and_take_from_it() -> None:
    user = User("ann", "operator", scopes=["+purge", "-view_args"])
    assert user.may("purge")
    assert not user.may("view_args")
    assert not user.may("limit")
    for wrong in (["purge"], ["+everything"], "+purge", [""]):
        with pytest.raises(UsageError, match="scopes"):
            User("ann", scopes=wrong)


def test_every_action_needs_a_permission_that_there_is() -> None:
    assert {each.permission for each in ACTIONS} <= ALL
    names = [each.path for each in ACTIONS]
    assert len(set(names)) == len(names)


def test_a_mark_is_good_for_its_user_and_some_hours() -> None:
    ann, then = User("ann"), 500_000 * HOUR
    token = Seals(SECRET, now=lambda: then).token(ann)
    for later, good in ((0, True), (HOURS * HOUR, True), ((HOURS + 1) * HOUR, False), (-HOUR, False)):
        seals = Seals(SECRET, now=lambda later=later: then + later)
        assert seals.is_token(ann, token) is good
        assert not seals.is_token(User("bob"), token)
    assert not Seals(now=lambda: then).is_token(ann, token)
    with pytest.raises(UsageError):
        Seals("short")


def test_what_an_address_says_was_done_is_believed_from_this_dashboard_alone(
    acting: Dashboard, conn: Conn, dead: UUID
) -> None:
    sealed = Seals(SECRET).sealed(LOCAL, '{"text": "Done, <b>really</b>.", "done": true}')
    assert "Done, &lt;b&gt;really&lt;/b&gt;." in ask(acting, f"/jobs/{dead}?_said={sealed}").text
    forged = Seals("somebody else's secret").sealed(LOCAL, '{"text": "Done, really.", "done": true}')
    for wrong in (forged, sealed[:-1], sealed.replace(".", ""), "x", ".", "a.b", "\N{BULLET}"):
        page = ask(acting, f"/jobs/{dead}?_said={wrong}")
        assert page.status == 200
        assert 'id="notice"' not in page.text


def test_after_an_act_the_page_shows_what_it_led_to_also_while_others_look_on(
    acting: Dashboard, conn: Conn, dead: UUID
) -> None:
    assert "Dead:" in ask(acting, f"/jobs/{dead}").text
    assert "Dead:" not in followed(acting, act(acting, address("job", "retry", dead))).text


def test_an_act_whose_connection_had_died_meanwhile_is_done_once(acting: Dashboard, conn: Conn, dead: UUID) -> None:
    at = address("job", "run-again", dead)
    fields = {**fields_of(form(acting, at)), "args": "[]"}
    ended = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgqueue dashboard'"
    conn.execute(ended)
    assert post(acting, at, fields).status == 303
    assert len(acts(conn)) == 1
