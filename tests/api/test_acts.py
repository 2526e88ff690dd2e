"""What the API does: what pages have buttons for, for tokens that may, written into the audit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import psycopg
import pytest

from pgqueue.dashboard import Dashboard
from pgqueue.dashboard.actions import ACTIONS
from pgqueue.dashboard.api import bodies
from pgqueue.dashboard.api.openapi import document
from pgqueue.job import JobState
from pgqueue.worker.upkeep.operator import drive_operations
from tests.api.asking import BASE, TOKENS, USERS, ask, make, read
from tests.api.test_guard import BASIC, COOKIE
from tests.api.test_openapi import check, strict
from tests.dashboard.asking import Answer
from tests.dashboard.asking import ask as ask_anything
from tests.dashboard.test_guard import METHODS, assert_headers
from tests.factories import Conn, claim_one, enqueue, fail, job, state
from tests.waiting import wait_until

SENT = ("content-type", "application/json")
ACT_PATHS = sorted(action.path for action in ACTIONS)


@pytest.fixture(scope="module")
def acting(dsn: str) -> Iterator[Dashboard]:
    made = make(dsn, actions=True)
    yield made
    asyncio.run(made.aclose())


def act(app: Any, path: str, on: object, who: str = "admin", **fields: Any) -> Answer:
    """Send an action."""
    return send(app, f"{path}?of={on}", json.dumps(fields).encode(), who)


def send(app: Any, path: str, body: bytes, who: str = "admin", kind: str = "application/json") -> Answer:
    headers = [("content-type", kind)] if kind else []
    return ask(app, path, who, method="POST", body=body, headers=headers)


def audit(conn: Conn) -> tuple[Any, ...]:
    row = conn.execute(
        "select who, via, action, reason, filter, job_ids from pgqueue.audit order by id desc limit 1"
    ).fetchone()
    assert row is not None
    return row


def test_a_dead_job_is_retried_and_the_audit_says_by_which_token_and_why(acting: Dashboard, conn: Conn) -> None:
    dead = claim_one(conn)
    fail(conn, dead, None)
    told = act(acting, "/act/job/retry", dead.id, "operator", reason="mended")
    assert told.status == 200, told.text
    assert state(conn, dead.id) is JobState.READY
    assert json.loads(told.text)["to"] == f"{BASE}/jobs/{dead.id}"
    assert audit(conn) == ("otto", "api", "jobs retry", "mended", None, [dead.id])


def test_arguments_are_changed_with_every_digit(acting: Dashboard, conn: Conn) -> None:
    waiting, digits = enqueue(conn, {"n": 1}), "1234567890" * 50
    assert send(acting, f"/act/job/edit?of={waiting}", f'{{"args": {{"n": {digits}}}}}'.encode()).status == 200
    assert read_digits(acting, waiting) == digits
    copy = act(acting, "/act/job/run-again", waiting)
    assert copy.status == 200, copy.text
    assert read_digits(acting, json.loads(copy.text)["to"].rpartition("/")[2]) == digits


def read_digits(app: Dashboard, job_id: object) -> Any:
    return json.loads(ask(app, f"/jobs/{job_id}").text, parse_int=str)["args"]["n"]


def test_secrets_that_are_left_as_dots_stay_what_they_were(acting: Dashboard, conn: Conn) -> None:
    waiting = enqueue(conn, {"token": "hush-7f3a91", "to": "ann"})
    shown = read(acting, f"/jobs/{waiting}")["args"]
    assert act(acting, "/act/job/edit", waiting, args={**shown, "to": "bob"}).status == 200
    assert job(conn, waiting).args == {"token": "hush-7f3a91", "to": "bob"}


def test_what_is_not_said_stays(acting: Dashboard, conn: Conn) -> None:
    told = act(acting, "/act/limits/set", "all", of="key", name="stripe", concurrency=2, rate="10/s")
    assert told.status == 200, told.text
    assert act(acting, "/act/limit/change", "key:stripe", concurrency=5).status == 200
    limit = read(acting, "/limit?name=stripe")
    assert (limit["concurrency"], limit["rate"]) == (5, "10/s")
    assert act(acting, "/act/limit/change", "key:stripe", rate=None).status == 200
    assert read(acting, "/limit?name=stripe")["rate"] is None


def test_what_was_not_done_is_409_and_says_why(acting: Dashboard, conn: Conn) -> None:
    running = claim_one(conn)
    answer = act(acting, "/act/job/retry", running.id)
    assert answer.status == 409
    assert "runs already" in json.loads(answer.text)["detail"]
    assert state(conn, running.id) is JobState.RUNNING


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"level": NaN}', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"levl": 3}', "application/json", 400),
        (b"level=3", "application/x-www-form-urlencoded", 415),
        (b'{"level": 3}', "text/plain", 415),
        (b'{"level": 3}', "", 415),
        (b'{"level": "' + b"3" * bodies.LARGEST + b'"}', "application/json", 413),
        (b"{}", "application/json", 422),
        (b'{"level": null}', "application/json", 422),
        (b'{"level": 10}', "application/json", 422),
        (b'{"level": [3]}', "application/json", 422),
        (b'{"level": 3}', "application/json; charset=utf-8", 200),
    ],
)
def test_a_body_that_cannot_be_meant_changes_nothing(
    acting: Dashboard, conn: Conn, body: bytes, kind: str, status: int
) -> None:
    waiting = enqueue(conn)
    answer = send(acting, f"/act/job/priority?of={waiting}", body, kind=kind)
    assert answer.status == status, answer.text
    assert job(conn, waiting).priority == (3 if status == 200 else 5)
    if status != 200:
        assert json.loads(answer.text)["cure"]


def test_the_matrix_of_actions_methods_and_who_asks(acting: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    from pgqueue.dashboard.api import tokens

    monkeypatch.setattr(tokens, "delay", lambda _failures: 0.0)
    strangers = ([], [BASIC], [COOKIE], [COOKIE, ("sec-fetch-site", "same-origin")], [("authorization", "Bearer x")])
    for action, method in product(ACTIONS, METHODS):
        path = f"{action.path}?of=none"
        for headers in strangers:
            refused = ask_anything(acting, f"{BASE}{path}", method=method, headers=[*headers, SENT], body=b"{}")
            assert refused.status == 401, (path, method)
            assert_headers(refused)
        for who in TOKENS:
            answer = ask(acting, path, who, method=method, headers=[SENT], body=b"{}")
            assert_headers(answer)
            if method == "OPTIONS":
                assert (answer.status, answer.header("allow")) == (204, "GET, HEAD, POST, OPTIONS")
            elif method not in ("GET", "HEAD", "POST"):
                assert (answer.status, answer.header("allow")) == (405, "GET, HEAD, POST, OPTIONS"), (path, method)
            elif not USERS[who].may(action.permission) or (action.needs_all_queues and who == "tenant"):
                assert answer.status == 403, (path, who)
            else:
                assert answer.status in (200, 404, 409, 422), (path, who, answer.text)


def test_what_belongs_to_another_tenant_does_not_exist(acting: Dashboard, conn: Conn) -> None:
    theirs, others = enqueue(conn, queue="mail.eu"), enqueue(conn, queue="bank")
    assert act(acting, "/act/job/cancel", others, "tenant").status == 404
    assert state(conn, others) is JobState.READY
    assert act(acting, "/act/job/cancel", theirs, "tenant").status == 200
    assert state(conn, theirs) is JobState.CANCELLED


def test_without_actions_it_reads_alone(app: Dashboard, conn: Conn) -> None:
    waiting = enqueue(conn)
    answer = act(app, "/act/job/cancel", waiting)
    assert answer.status == 403
    assert "--allow-actions" in json.loads(answer.text)["cure"]
    assert state(conn, waiting) is JobState.READY


def test_a_row_that_somebody_holds_is_no_answer_and_nothing_is_done(acting: Dashboard, conn: Conn, dsn: str) -> None:
    waiting = enqueue(conn)
    with psycopg.connect(dsn) as holder:
        holder.execute("select from pgqueue.jobs where id = %s for update", [waiting])
        answer = act(acting, "/act/job/priority", waiting, level=9)
    assert answer.status == 503
    assert job(conn, waiting).priority == 5


def test_the_description_has_every_action_and_its_fields() -> None:
    described = document()
    for action in ACTIONS:
        operation = described["paths"][f"{BASE}{action.path}"]["post"]
        properties = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
        assert set(properties) == {*(field.name for field in action.fields), "reason"}


def test_a_form_says_what_stands_now_and_is_void_once_that_has_changed(acting: Dashboard, conn: Conn) -> None:
    waiting = enqueue(conn, {"to": "ann"})
    form = read(acting, f"/act/job/edit?of={waiting}")
    described = strict(document())
    schema = described["paths"][f"{BASE}/act/job/edit"]["get"]["responses"]["200"]["content"]["application/json"]
    check(described, schema["schema"], form, "/act/job/edit")
    stands = {field["name"]: field["now"] for field in form["fields"]}
    assert json.loads(stands["args"]) == {"to": "ann"}
    assert act(acting, "/act/job/edit", waiting, args={"to": "bob"}).status == 200
    late = act(acting, "/act/job/edit", waiting, args={"to": "eve"}, seen=stands["seen"])
    assert late.status == 422
    assert "changed by somebody else" in json.loads(late.text)["detail"]
    assert job(conn, waiting).args == {"to": "bob"}


def test_a_form_changes_nothing_whatever_is_asked_with(acting: Dashboard, conn: Conn) -> None:
    waiting = enqueue(conn)
    before = conn.execute("select xmin::text from pgqueue.jobs where id = %s", [waiting]).fetchone()
    for action in ACTIONS:
        if action.on.name == "job":
            assert ask(acting, f"{action.path}?of={waiting}", body=b'{"level": 9}', headers=[SENT]).status == 200
    assert conn.execute("select xmin::text from pgqueue.jobs where id = %s", [waiting]).fetchone() == before


def test_a_bulk_action_is_previewed_and_begun_and_its_end_is_answered(acting: Dashboard, conn: Conn) -> None:
    for _ in range(3):
        fail(conn, claim_one(conn, {"to": "ann"}, queue="bulk"), None)
    waiting = enqueue(conn, queue="bulk")
    form = read(acting, "/act/bulk/retry?of=queue:bulk")
    described = strict(document())
    schema = described["paths"][f"{BASE}/act/bulk/retry"]["get"]["responses"]["200"]["content"]["application/json"]
    check(described, schema["schema"], form, "/act/bulk/retry")
    assert (form["meant"]["count"], form["meant"]["states"], form["meant"]["left"]) == (3, {"dead": 3}, {"ready": 1})
    without_workers(conn)
    begun = act(acting, "/act/bulk/retry", "queue:bulk", made_at=form["meant"]["made_at"], reason="mended")
    assert begun.status == 200, begun.text
    address = json.loads(begun.text)["to"].removeprefix(BASE)
    wait_until(lambda: read(acting, address)["state"] == "done")
    told = read(acting, address)
    assert (told["done"], told["via"], told["who"], told["reason"]) == (3, "api", "ada", "mended")
    number = told["id"]
    assert act(acting, "/act/operation/stop-retry", number).status == 409
    assert state(conn, waiting) is JobState.READY
    tables = ("queue:nothing", "quue:bulk")
    assert [act(acting, "/act/bulk/cancel", each).status for each in tables] == [422, 404]


def without_workers(conn: Conn) -> None:
    """Else the dashboard leaves bulk actions to them."""
    conn.execute("delete from pgqueue.workers")


def test_a_tenant_acts_on_their_own_jobs_and_sees_their_own_operations(acting: Dashboard, conn: Conn) -> None:
    theirs, others = enqueue(conn, queue="mail.bulk"), enqueue(conn, queue="bank.bulk")
    assert read(acting, "/act/bulk/cancel?of=queue:*.bulk", "tenant")["meant"]["count"] == 1
    without_workers(conn)
    begun = act(acting, "/act/bulk/cancel", "queue:*.bulk", "tenant")
    assert begun.status == 200, begun.text
    address = json.loads(begun.text)["to"].removeprefix(BASE)
    wait_until(lambda: read(acting, address, "tenant")["state"] == "done")
    assert (state(conn, theirs), state(conn, others)) == (JobState.CANCELLED, JobState.READY)
    assert [each["who"] for each in read(acting, "/operations", "tenant")["items"]] == ["tess"]
    assert {each["who"] for each in read(acting, "/audit", "tenant")["items"]} == {"tess"}
    conn.execute("update pgqueue.operations set via = 'dashboard' where id = %s", [address.rpartition("/")[2]])
    assert ask(acting, address, "tenant").status == 404, "of somebody of the same name by another door"


@pytest.mark.parametrize(("of", "who"), [("args.token=hush", "admin"), ("label.api-key:h*", "operator")])
def test_nobody_acts_on_jobs_by_what_is_hidden_from_them(acting: Dashboard, of: str, who: str) -> None:
    for method in ("GET", "POST"):
        assert ask(acting, f"/act/bulk/cancel?of={of}", who, method=method, headers=[SENT], body=b"{}").status == 403


def test_an_act_answers_as_its_schema_says(acting: Dashboard, conn: Conn) -> None:
    described = strict(document())
    waiting = enqueue(conn, {"token": "hush"})
    for path, of, fields in (
        ("/act/job/priority", waiting, {"level": 4}),
        ("/act/job/reveal", waiting, {}),
        ("/act/queue/pause", "default", {}),
        ("/act/queue/resume", "default", {}),
    ):
        told = act(acting, path, of, **fields)
        assert told.status == 200, told.text
        schema = described["paths"][f"{BASE}{path}"]["post"]["responses"]["200"]["content"]["application/json"]
        check(described, schema["schema"], json.loads(told.text), path)
    assert audit(conn)[:3] == ("ada", "api", "queues resume")


def test_all_that_match_are_moved_as_by_the_page_within_what_exists_for_the_token(
    acting: Dashboard, conn: Conn
) -> None:
    theirs, others = enqueue(conn, queue="mail.eu"), enqueue(conn, queue="bank")
    told = act(acting, "/act/bulk/cancel", "queue:*", "tenant", reason="moving house")
    assert told.status == 200, told.text
    number = int(json.loads(told.text)["to"].rpartition("/")[2])
    row = conn.execute("select who, via, filter, reason, detached from pgqueue.operations where id = %s", [number])
    who, via, filter_text, reason, detached = row.fetchone() or ()
    assert (who, via, reason, detached) == (USERS["tenant"].name, "api", "moving house", True)
    assert filter_text == 'queue:"mail.*" queue:*'
    # A spell of it, which ends early beside others or on a slow machine; the next one goes on.
    wait_until(lambda: drive_operations(conn) is None or state(conn, theirs) is JobState.CANCELLED)
    assert state(conn, theirs) is JobState.CANCELLED
    assert state(conn, others) is JobState.READY
    assert act(acting, "/act/bulk/cancel", "args.password:x", "operator").status == 403
