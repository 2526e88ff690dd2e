"""What a page does with queues, limits, schedules and workers is what the command does."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from pgqueue.dashboard import Dashboard, User
from pgqueue.store import audit, dumps, execute, limits, queues, schedules, workers
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.dashboard.posting import act, address, fields_of, form, post, said, token_of
from tests.factories import Conn, enlist, enqueue


@pytest.fixture
def acting(new_app: NewApp) -> Dashboard:
    return new_app(actions=True)


def last(conn: Conn) -> tuple[str, str | None, str | None]:
    row = execute(conn, audit.newest(None, 1))[0]
    return row.action, row.filter, row.reason


def is_paused(conn: Conn, queue: str) -> bool:
    return next(row for row in execute(conn, queues.depths([queue])).queues if row.queue == queue).paused


def test_a_queue_is_paused_for_a_while_and_resumed(acting: Dashboard, conn: Conn) -> None:
    enqueue(conn, queue="mail")
    answer = act(acting, address("queue", "pause", "mail"), **{"for": "1h", "reason": "provider down"})
    assert said(acting, answer).startswith("It is paused")
    assert is_paused(conn, "mail")
    assert last(conn) == ("queues pause", "mail", "provider down")
    page = ask(acting, "/queue?name=mail").text
    assert "/act/queue/resume?" in page
    assert "/act/queue/pause?" not in page
    assert act(acting, address("queue", "resume", "mail")).status == 303
    assert not is_paused(conn, "mail")
    assert last(conn) == ("queues resume", "mail", None)


def test_a_pause_of_no_length_is_refused(acting: Dashboard, conn: Conn) -> None:
    for length in ("0", "-5", "soon", "99999999999999d"):
        assert act(acting, address("queue", "pause", "mail"), **{"for": length}).status == 422
    assert execute(conn, audit.newest(None, 1)) == []


def test_what_a_queue_says_is_what_stands_in_the_form(acting: Dashboard, conn: Conn) -> None:
    execute(conn, queues.set_settings(queues.Settings("mail", 60.0, 5, None, None)))
    act(acting, address("queue", "set", "mail"), timeout="2m", max_attempts="", priority="7")
    assert execute(conn, queues.settings("mail")) == [queues.Settings("mail", 120.0, None, 7, None)]
    assert [row.action for row in execute(conn, audit.newest(None, 5))] == ["queues unset", "queues set"]
    assert "Nothing was changed" in said(acting, act(acting, address("queue", "set", "mail")))


def test_a_queue_is_limited_and_an_empty_field_lifts_a_limit(acting: Dashboard, conn: Conn) -> None:
    at = address("queue", "limit", "mail")
    act(acting, at, concurrency="4", rate="100/m", burst="20", max_size="1000", on_full="drop_oldest")
    row = execute(conn, limits.get("queue", "mail"))
    assert row is not None
    assert (row.concurrency, row.rate, row.burst) == (4, "100/m", 20)
    assert execute(conn, limits.size_of("mail")) == (1000, "drop_oldest")
    act(acting, at, burst="", rate="", max_size="")
    row = execute(conn, limits.get("queue", "mail"))
    assert row is not None
    assert (row.concurrency, row.rate, row.burst) == (4, None, None)
    assert execute(conn, limits.size_of("mail")) is None
    assert last(conn) == ("queues limit", "mail", None)


def test_two_who_change_different_fields_of_a_limit_do_not_undo_each_other(acting: Dashboard, conn: Conn) -> None:
    execute(conn, limits.put("key", "stripe", 4, "25/s", None, None, None, None))
    at = address("limit", "change", "key:stripe")
    page = form(acting, at)
    mine = {**fields_of(page), "weight": "3"}
    act(acting, at, concurrency="9")
    assert post(acting, at, mine).status == 303
    row = execute(conn, limits.get("key", "stripe"))
    assert row is not None
    assert (row.concurrency, row.rate, row.weight) == (9, "25/s", 3)
    assert last(conn) == ("limits set", "key:stripe", None)


def test_a_limit_is_set_and_removed_after_a_question(acting: Dashboard, conn: Conn) -> None:
    at = address("limits", "set", "all")
    answer = act(acting, at, of="key", name="tenant:*", concurrency="1", order="stop")
    assert (answer.header("location") or "").startswith("/limit?of=key&name=tenant%3A%2A&")
    row = execute(conn, limits.get("key", "tenant:*"))
    assert row is not None
    assert (row.concurrency, row.ordered, row.on_dead) == (1, True, "stop")
    removing = address("limit", "remove", "key:tenant:*")
    assert "goes on at once" in form(acting, removing).text
    token = token_of(form(acting, removing))
    assert post(acting, removing, {"token": token}).status == 303
    assert execute(conn, limits.get("key", "tenant:*")) is None
    assert last(conn) == ("limits remove", "key:tenant:*", None)
    assert post(acting, removing, {"token": token}).status == 404
    for wrong in ({"rate": "many"}, {"concurrency": "-1"}, {"weight": "101"}, {"order": "maybe"}, {"name": ""}):
        assert act(acting, at, **{"of": "key", "name": "k", "order": "no", **wrong}).status == 422, wrong


def test_a_schedule_is_run_paused_and_resumed(acting: Dashboard, conn: Conn) -> None:
    execute(conn, schedules.put({"name": "tidy up", "every": 3600, "target": "shop.tasks:tidy"}))
    answer = act(acting, address("schedule", "run", "tidy up"))
    assert (answer.header("location") or "").startswith("/jobs/")
    assert last(conn) == ("schedules run", "tidy up", None)
    act(acting, address("schedule", "pause", "tidy up"))
    row = execute(conn, schedules.get("tidy up"))
    assert row is not None
    assert row.paused_by == "hand"
    assert "/act/schedule/resume?" in ask(acting, "/schedule?name=tidy up").text
    act(acting, address("schedule", "resume", "tidy up"))
    assert last(conn) == ("schedules resume", "tidy up", None)
    execute(conn, schedules.remove("tidy up"))
    assert form(acting, address("schedule", "run", "tidy up")).status == 404


def test_a_worker_is_asked_and_evicted_only_after_a_question(acting: Dashboard, conn: Conn) -> None:
    worker = enlist(conn)

    def asked() -> str | None:
        return next(row.asked for row in execute(conn, workers.rows()) if row.id == worker)

    for name, wish in (("quiet", "quiet"), ("resume", None), ("stop", "stop"), ("evict", "evict")):
        assert act(acting, address("worker", name, worker)).status == 303
        assert asked() == wish
        assert last(conn) == (f"workers {name}", f"{worker} here", None)
    page = ask(acting, f"/worker?id={worker}").text
    assert f'href="/act/worker/evict?of={worker}"' in page
    assert f'action="/act/worker/evict?of={worker}"' not in page
    conn.execute("delete from pgqueue.workers")
    assert ask(acting, f"/worker?id={worker}").status == 404


def test_a_worker_is_asked_where_its_jobs_are_and_its_answer_is_shown(
    acting: Dashboard, new_app: NewApp, conn: Conn
) -> None:
    worker = enlist(conn)
    page = f"/worker?id={worker}"
    assert "Nobody has asked it" in ask(acting, page).text
    assert "It is asked where its jobs are" in said(acting, act(acting, address("worker", "dump", worker)))
    assert last(conn) == ("workers dump", f"{worker} here", None)
    assert "has not answered yet" in ask(acting, page).text
    asked_at = execute(conn, dumps.asked(worker))
    assert asked_at is not None
    job = {"job": str(uuid4()), "target": "shop:send", "stack": 'File "shop.py", line 7, token="hush-42"'}
    execute(conn, dumps.tell(worker, asked_at, json.dumps({"jobs": [job], "left_out": 3})))
    shown = ask(acting, page).text
    assert "shop.py" in shown
    assert "And 3 more" in shown
    assert "hush-42" not in shown
    tenant = new_app(auth=lambda _: User("ann", "admin", ["mail.*"]))
    assert "shop.py" not in ask(tenant, page).text


def test_what_belongs_to_others_is_steered_by_those_alone_who_see_all(new_app: NewApp, conn: Conn) -> None:
    worker = enlist(conn, queues=["mail.eu"])
    execute(conn, limits.put("key", "stripe", 4, None, None, None, None, None))
    execute(conn, limits.put("queue", "bank", 4, None, None, None, None, None))
    execute(conn, schedules.put({"name": "pay", "every": 3600, "target": "shop.tasks:pay", "queue": "bank"}))
    app = new_app(actions=True, auth=lambda _: User("ann", "admin", ["mail.*"]))
    for subject, name, key, status in (
        ("worker", "stop", worker, 403),
        ("limits", "set", "all", 403),
        ("limit", "remove", "key:stripe", 404),
        ("limit", "remove", "queue:bank", 404),
        ("queue", "pause", "bank", 404),
        ("schedule", "run", "pay", 404),
        ("queue", "pause", "mail.eu", 200),
    ):
        assert form(app, address(subject, name, key)).status == status, (subject, key)
    assert "it is for those who see all queues" in ask(app, f"/worker?id={worker}").text


def test_a_name_of_whatever_letters_is_found_again_by_its_act(acting: Dashboard, conn: Conn) -> None:
    for name in ("a/b", "a b?c=d&e#f", "ünï\u202e", "{{7*7}}", "x\x01y", "..", "%00", "'\"<>"):
        enqueue(conn, queue=name)
        assert act(acting, address("queue", "pause", name)).status == 303, name
        assert is_paused(conn, name), name


def test_a_role_that_may_only_select_is_told_so(new_app: NewApp, conn: psycopg.Connection[Any], dsn: str) -> None:
    from psycopg.conninfo import make_conninfo

    enqueue(conn, queue="mail")
    role = f"looks_on_{uuid4().hex[:8]}"
    conn.execute(f"create role {role} login; grant usage on schema pgqueue to {role}")
    conn.execute(f"grant select on all tables in schema pgqueue to {role}")
    pool = Pool(make_conninfo(dsn, user=role))
    try:
        app = new_app(actions=True, pool=pool)
        answer = act(app, address("queue", "pause", "mail"))
        assert answer.status == 500
        assert "permission denied" in answer.text
        assert not is_paused(conn, "mail")
    finally:
        conn.execute(f"drop owned by {role}; drop role {role}")


class Pool:
    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def connection(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._dsn)
