"""Bulk actions from a page: as many as were shown, each job once, to be stopped, whatever is killed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest
from starlette.requests import Request

from pgqueue import operations
from pgqueue.dashboard import Dashboard, User
from pgqueue.job import JobState
from pgqueue.outcome import Move, Settlement
from pgqueue.secrecy import Secrecy
from pgqueue.store import audit, execute, jobs
from pgqueue.store import secrecy as store_secrecy
from pgqueue.store.operations import Operation
from pgqueue.worker.upkeep.operator import drive_operations
from tests.conftest import Connect
from tests.dashboard.asking import Answer, ask
from tests.dashboard.conftest import NewApp
from tests.dashboard.posting import act, address, fields_of, followed, form, post, said
from tests.factories import TARGET, claim_one, count, enlist, enqueue, fail, fill, make, state
from tests.postgres import ROOT
from tests.store.test_operations import dead
from tests.waiting import wait_until

Conn = psycopg.Connection[Any]


@pytest.fixture
def acting(new_app: NewApp) -> Dashboard:
    return new_app(actions=True)


def begun(conn: Conn, answer: Answer) -> Operation:
    """The operation to which an act led."""
    assert answer.status == 303, answer.text
    number = re.match(r"/operations/(\d+)\?", answer.header("location") or "")
    assert number, answer.header("location")
    found = operations.get(conn, int(number[1]))
    assert found is not None
    return found


def ended(conn: Conn, number: int) -> Operation:
    found = operations.get(conn, number)
    assert found is not None
    return found


def test_all_that_match_are_moved_once_by_the_dashboard_where_no_worker_is(acting: Dashboard, conn: Conn) -> None:
    made = dead(conn, 230)
    conn.execute("delete from pgqueue.workers")
    others = fill(conn, 3)
    at = address("bulk", "retry", "state:dead")
    page = form(acting, at).text
    assert "No worker is at work: this dashboard does it" in page
    assert re.search(r"230\s+jobs", page)
    answer = act(acting, at, trial="", rate="", reason="the provider is back")
    row = begun(conn, answer)
    assert (row.who, row.via, row.reason, row.filter) == ("local", "dashboard", "the provider is back", "state:dead")
    wait_until(lambda: ended(conn, row.id).state == "done")
    row = ended(conn, row.id)
    assert (row.done, row.skipped, row.failed) == (230, 0, 0)
    assert {state(conn, each) for each in (*made[::40], *others)} == {JobState.READY}
    assert [(each.who, each.via, each.action) for each in execute(conn, audit.newest(None, 5))] == [
        ("local", "dashboard", f"operation {row.id}: done"),
        ("local", "dashboard", f"operation {row.id}: retry"),
    ]


def test_the_preview_counts_what_is_meant_and_says_what_is_left_out(acting: Dashboard, conn: Conn) -> None:
    for each in (JobState.DEAD, JobState.SUCCEEDED, JobState.CANCELLED):
        make(conn, each)
    taken = claim_one(conn, unique_key="taken")
    fail(conn, taken, None)
    enqueue(conn, unique_key="taken")
    page = re.sub(r"<[^>]+>|\s+", " ", unescape(form(acting, address("bulk", "retry", "task:*")).text))
    page = re.sub(r" +", " ", page)
    assert " 2 jobs 2 dead " in page
    assert "Left out, among the newest that were looked at: 1 ready, 1 succeeded, 1 cancelled." in page
    assert "1 stay dead: a live job has their unique key." in page
    assert str(taken.id) in form(acting, address("bulk", "retry", "task:*")).text


def test_jobs_that_come_after_the_preview_are_not_meant(acting: Dashboard, conn: Conn) -> None:
    meant = fill(conn, 3)
    at = address("bulk", "cancel", "queue:default")
    fields = fields_of(form(acting, at))
    wait_until(lambda: conn.execute("select clock_timestamp() > %s", [fields["made_at"]]).fetchone() == (True,))
    conn.execute("select pg_sleep(0.002)")
    later = enqueue(conn)
    row = begun(conn, post(acting, at, fields))
    wait_until(lambda: ended(conn, row.id).state == "done")
    assert [state(conn, each) for each in (*meant, later)] == [JobState.CANCELLED] * 3 + [JobState.READY]
    for stale in ("2020-01-01T00:00:00+00:00", "x", "9999-12-31T23:59:59+00:00", fields["made_at"][:19]):
        assert post(acting, at, {**fields, "made_at": stale}).status == 422


def test_a_choice_is_a_search_for_those_jobs_whatever_their_ids(acting: Dashboard, conn: Conn) -> None:
    made = fill(conn, 4)
    own = enqueue(conn, job_id=UUID("ffffffff-0000-4000-8000-000000000001"))
    boxes = "&".join(f"j.{each.hex}=1" for each in (made[0], made[2], own))
    chosen = ask(acting, f"/jobs?q=queue:default&pick=cancel&{boxes}&j.nonsense=1")
    where = chosen.header("location") or ""
    assert where == address("bulk", "cancel", f"id:{made[0].hex},{made[2].hex},{own.hex}")
    row = begun(conn, act(acting, where))
    wait_until(lambda: ended(conn, row.id).state == "done")
    assert ended(conn, row.id).done == 3
    assert [state(conn, each) for each in made] == [JobState.CANCELLED, JobState.READY] * 2
    assert (ask(acting, "/jobs?pick=cancel&q=queue:x").header("location") or "") == "/jobs?q=queue%3Ax"


def test_two_hundred_can_be_chosen(acting: Dashboard, conn: Conn) -> None:
    made = fill(conn, 200)
    answer = ask(acting, "/jobs?pick=bury&" + "&".join(f"j.{each.hex}=1" for each in made))
    assert re.search(r"200\s+jobs", form(acting, answer.header("location") or "").text)


def test_very_many_are_typed_first(acting: Dashboard, conn: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgqueue.operations.manner.TYPED", 2)
    fill(conn, 3)
    at = address("bulk", "cancel", "queue:default")
    for typed in ("", "2", "30"):
        answer = act(acting, at, typed=typed, reason="kept as typed")
        assert answer.status == 422
        assert "type 3" in answer.text
        assert "kept as typed" in answer.text
    assert count(conn, "operations") == 0
    begun(conn, act(acting, at, typed="3"))


def test_an_action_stops_within_a_batch_and_goes_on(acting: Dashboard, conn: Conn) -> None:
    enlist(conn, lease=3600)
    fill(conn, 30)
    row = begun(conn, act(acting, address("bulk", "cancel", "queue:default"), rate="5/s"))
    operations.step(conn, row.id)
    page = ask(acting, f"/operations/{row.id}").text
    assert "5 cancelled, 25 to come" in page
    assert "Stop" in page
    answer = act(acting, address("operation", "stop-cancel", row.id), reason="enough")
    assert said(acting, answer) == "It stops after the batch under way."
    conn.execute("update pgqueue.operations set next_at = now()")
    assert operations.step(conn, row.id).pause is None
    drive_operations(conn)
    assert (ended(conn, row.id).state, count(conn, "jobs")) == ("stopped", 25)
    assert "enough" in ask(acting, f"/operations/{row.id}").text
    answer = act(acting, address("operation", "resume-cancel", row.id))
    assert said(acting, answer) == "It goes on where it stood."
    conn.execute("update pgqueue.operations set rate = null, next_at = now()")
    drive_operations(conn)
    assert (ended(conn, row.id).state, ended(conn, row.id).done) == ("done", 30)
    assert said(acting, act(acting, address("operation", "resume-cancel", row.id))) == "It is done already."


def test_workers_drive_where_there_are_some(acting: Dashboard, conn: Conn) -> None:
    enlist(conn, lease=3600)
    fill(conn, 5)
    at = address("bulk", "cancel", "queue:default")
    assert "The workers do it" in form(acting, at).text
    row = begun(conn, act(acting, at))
    assert count(conn, "jobs") == 5
    drive_operations(conn)
    assert ended(conn, row.id).done == 5


def test_a_trial_that_fails_stops_the_rest(acting: Dashboard, conn: Conn) -> None:
    enlist(conn, lease=3600)
    dead(conn, 40)
    at = address("bulk", "retry", "state:dead")
    assert fields_of(form(acting, at))["trial"] == "10"
    row = begun(conn, act(acting, at, trial="4", stop_at="25%"))
    assert (row.trial, row.most_failing, row.detached) == (4, 0.25, True)
    for wrong in ({"trial": "0"}, {"trial": "many"}, {"trial": "501"}, {"rate": "fast"}, {"stop_at": "half"}):
        assert act(acting, at, **wrong).status == 422, wrong


def tenant_auth(request: Request) -> User | None:
    name = request.headers.get("x-test-user")
    return User(name, "admin", ["mail.*", "!mail.secret"]) if name else None


def test_a_tenant_moves_their_own_jobs_alone_whatever_the_query_says(new_app: NewApp, conn: Conn) -> None:
    app, ann, bob = new_app(auth=tenant_auth, actions=True), [("x-test-user", "ann")], [("x-test-user", "bob")]
    enlist(conn, lease=3600)
    hidden = [enqueue(conn, queue=queue) for queue in ("bank", "mail.secret")]
    theirs = [enqueue(conn, queue="mail.eu")]
    page = form(app, address("bulk", "cancel", f"id:{hidden[0].hex},{hidden[1].hex},{theirs[0].hex}"), headers=ann).text
    assert re.search(r"1\s+job\b", page)
    assert not any(str(each) in page for each in hidden)
    for text in ("queue:*", "queue:bank,mail.eu", "-queue:nothing"):
        row = begun(conn, act(app, address("bulk", "bury", text), headers=ann))
        assert row.filter == f'queue:"mail.*" -queue:mail.secret {text}'
        drive_operations(conn)
        assert [state(conn, each) for each in (*hidden, theirs[-1])] == [JobState.READY, JobState.READY, JobState.DEAD]
        theirs.append(enqueue(conn, queue="mail.eu"))
    for name in ("stop-bury", "resume-bury"):
        assert form(app, address("operation", name, row.id), headers=ann).status == 200
        assert form(app, address("operation", name, row.id), headers=bob).status == 404
    assert form(app, address("cause", "mute", "0123456789ab"), headers=ann).status == 404


def test_who_may_not_do_it_to_one_may_not_do_it_to_many(new_app: NewApp, conn: Conn) -> None:
    app = new_app(auth=lambda request: User("ann", request.headers["x-test-role"]), actions=True)
    job = dead(conn, 1)[0]
    purge = operations.begin(
        conn,
        operations.Plan(kind="purge", filter="state:dead", made_at=_now(conn), who="root", via="cli", detached=True),
    )
    for role, may in (("viewer", False), ("operator", False), ("admin", True)):
        headers = [("x-test-role", role)]
        for at in (address("bulk", "purge", "state:dead"), address("operation", "resume-purge", purge)):
            assert form(app, at, headers=headers).status == (200 if may else 403), (role, at)
        # By the name of another kind nobody gets at it.
        assert form(app, address("operation", "resume-retry", purge), headers=headers).status == (
            403 if role == "viewer" else 404
        )
    for said_ in ("args.password:x", "state:dead label.token:y"):
        assert form(app, address("bulk", "retry", said_), headers=[("x-test-role", "admin")]).status == 403
    assert state(conn, job) is JobState.DEAD


def _now(conn: Conn) -> Any:
    return conn.execute("select clock_timestamp()").fetchone()[0]  # type: ignore[index]


@pytest.mark.parametrize("text", ["queu:mail", 'x" or 1=1 --', "\x1b[31m", "id:", "<script>alert(1)</script>"])
def test_what_is_no_query_is_nothing_to_act_on(acting: Dashboard, conn: Conn, text: str) -> None:
    fill(conn, 2)
    answer = form(acting, address("bulk", "cancel", text))
    assert answer.status == 404
    assert "<script>alert" not in answer.text
    assert count(conn, "operations") == 0


def test_a_cause_is_muted_mended_and_described_with_who_and_why(acting: Dashboard, conn: Conn) -> None:
    conn.execute("insert into pgqueue.causes (cause, target, error_type) values ('0123456789ab', 'a:b', 'E')")
    cause = "0123456789ab"

    def now() -> tuple[Any, ...]:
        row = conn.execute(
            "select muted_until > now(), resolved_release, title, note, assignee from pgqueue.causes"
        ).fetchone()
        assert row is not None
        return row

    assert (
        said(acting, act(acting, address("cause", "mute", cause), **{"for": "2d", "reason": "known"})) == "It is muted."
    )
    assert now()[0] is True
    assert "Unmute" in ask(acting, f"/causes/{cause}").text
    act(acting, address("cause", "unmute", cause))
    assert not now()[0]
    act(acting, address("cause", "resolve", cause), release="4f1b")
    assert now()[1] == "4f1b"
    act(acting, address("cause", "reopen", cause))
    assert now()[1] is None
    act(acting, address("cause", "describe", cause), title="Provider down", note="call them", assignee="ann")
    assert now()[2:] == ("Provider down", "call them", "ann")
    act(acting, address("cause", "describe", cause), note="")
    assert now()[2:] == ("Provider down", "", "ann")
    acts = [(row.action, row.filter, row.reason) for row in execute(conn, audit.newest(None, 9))][::-1]
    assert [action for action, _, _ in acts] == [
        *("causes mute", "causes unmute", "causes resolve", "causes reopen", "causes describe", "causes describe")
    ]
    assert acts[0] == ("causes mute", f"cause:{cause}", "known")


def test_all_of_a_cause_are_retried_after_a_trial(acting: Dashboard, conn: Conn) -> None:
    enlist(conn, lease=3600)
    mine, other = dead(conn, 3), dead(conn, 1)
    conn.execute("insert into pgqueue.causes (cause, target, error_type) values ('0123456789ab', 'a:b', 'E')")
    conn.execute("update pgqueue.dead_jobs set cause = '0123456789ab' where id = any (%s)", [mine])
    page = ask(acting, "/causes/0123456789ab").text
    (at,) = (unescape(each) for each in re.findall(r'href="(/act/bulk/retry[^"]+)"', page))
    row = begun(conn, act(acting, at, trial="2"))
    assert row.trial == 2
    drive_operations(conn)
    assert ended(conn, row.id).done == 2
    assert state(conn, other[0]) is JobState.DEAD


def test_on_a_connection_of_a_pool_each_batch_commits_too(new_app: NewApp, conn: Conn, connect: Connect) -> None:
    class Pool:
        @contextmanager
        def connection(self) -> Any:
            with connect() as lent:
                assert not lent.autocommit
                yield lent

    fill(conn, 150)
    app = new_app(pool=Pool(), actions=True)
    row = begun(conn, act(app, address("bulk", "cancel", "queue:default")))
    wait_until(lambda: ended(conn, row.id).state == "done")
    assert (ended(conn, row.id).done, count(conn, "jobs")) == (150, 0)


def test_an_export_is_whole_in_bounded_batches_and_without_secrets(
    new_app: NewApp, conn: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgqueue.dashboard.exporting.BATCH", 7)
    role = "operator"
    app = new_app(auth=lambda _: User("ann", role, ["mail.*"]))
    made = [
        enqueue(conn, {"n": n, "password": "sesame"}, queue="mail.eu", labels={"token": "sesame", "of": "x"})
        for n in range(25)
    ]
    enqueue(conn, queue="bank")
    big = made[3]
    conn.execute("update pgqueue.jobs set args = %s::json where id = %s", [f'{{"n": {"9" * 5000}}}', big])
    answer = ask(app, f"/export?q={quote('state:ready')}")
    assert answer.status == 200
    assert answer.header("content-disposition") == 'attachment; filename="jobs.jsonl"'
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["id"] for row in rows] == [str(each) for each in made[::-1]]
    assert "sesame" not in answer.text
    assert rows[0]["args"] == {"n": 24, "password": "•••••"}
    assert "9" * 5000 in rows[-4]["args"]
    assert rows[0]["labels"] == {"token": "•••••", "of": "x"}
    assert ask(app, "/export?q=args.password:s*").status == 422
    assert ask(app, "/export?q=queue:bank").text == ""
    role = "viewer"
    assert ask(app, "/export?q=state:ready").status == 403


DASHBOARD = """
import sys
import uvicorn
from pgqueue import operations
from pgqueue.dashboard import create_app
operations.driving.MOST = 3
uvicorn.run(create_app(sys.argv[1], actions=True), host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
"""


def _serve(dsn: str, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DASHBOARD, dsn, str(port)], cwd=ROOT)


@pytest.mark.faults
def test_each_job_is_touched_once_though_the_dashboard_that_drives_is_killed(
    acting: Dashboard, conn: Conn, dsn: str
) -> None:
    import socket
    import urllib.error
    import urllib.request

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ids = dead(conn, 300)
    conn.execute("delete from pgqueue.workers")
    plan = operations.Plan(
        kind="retry", filter="state:dead", made_at=_now(conn), who="ann", via="dashboard", detached=True, rate=400.0
    )
    number = operations.begin(conn, plan)

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/operations/{number}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    for kills in range(3):
        process = _serve(dsn, port)
        try:
            # The first request lets it see what the one before had not finished.
            wait_until(answers, 60)
            before = ended(conn, number).done
            wait_until(
                lambda before=before: ended(conn, number).done > before or ended(conn, number).state == "done", 60
            )
            if kills == 2:
                wait_until(lambda: ended(conn, number).state == "done", 60)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        if kills == 0:
            assert ended(conn, number).state == "running"
    row = ended(conn, number)
    # Counted with the batch: one that was done twice would be there as skipped, or count twice.
    assert (row.state, row.done, row.skipped, row.failed) == ("done", len(ids), 0, 0)
    assert count(conn, "jobs") == len(ids)


def test_a_choice_is_offered_to_those_who_may_act(acting: Dashboard, app: Dashboard, conn: Conn) -> None:
    job = enqueue(conn)
    assert f'name="j.{job.hex}"' in ask(acting, "/jobs").text
    assert "With all that match" not in ask(acting, "/jobs").text
    assert "/act/bulk/cancel?of=queue%3Adefault" in ask(acting, "/jobs?q=queue:default").text
    reading = ask(app, "/jobs?q=queue:default").text
    assert "/act/" not in reading
    assert 'name="j.' not in reading
    assert followed(acting, ask(acting, f"/jobs?pick=retry&j.{job.hex}=1")).status == 200


@pytest.mark.parametrize("spec", ["2.3", "2.4"])
def test_exports_that_are_asked_for_at_once_are_two_and_one_that_nobody_reads_ends(
    new_app: NewApp, conn: Conn, monkeypatch: pytest.MonkeyPatch, spec: str
) -> None:
    monkeypatch.setattr("pgqueue.dashboard.exporting.PATIENCE", 1.5)
    fill(conn, 3)
    app = new_app()

    async def stuck(statuses: list[int]) -> None:
        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            elif statuses[-1] == 200:
                await asyncio.Event().wait()

        async def receive() -> Any:
            await asyncio.Event().wait()

        scope = {"type": "http", "method": "GET", "scheme": "http", "path": "/export", "query_string": b"q=state:ready"}
        more = {"headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "asgi": {"spec_version": spec}}
        await app({**scope, **more}, receive, send)

    async def many() -> list[int]:
        statuses: list[list[int]] = [[] for _ in range(6)]
        await asyncio.gather(*map(stuck, statuses))
        return sorted(each[0] for each in statuses)

    assert asyncio.run(many()) == [200, 200, 503, 503, 503, 503]
    assert ask(app, "/export?q=state:ready").text.count("\n") == 3


def test_nobody_counts_by_what_no_page_shows(acting: Dashboard, conn: Conn) -> None:
    """Else a preview tells, guess by guess, what stands under a sensitive argument, in an error, or in a key."""
    secrecy = Secrecy(frozenset({("pin",)}), ("pin", "to"))
    execute(conn, store_secrecy.declare([(TARGET, secrecy.said())]))
    job = claim_one(conn, {"pin": "k4711k", "to": "ann"}, unique_key="of-k4711k")
    error = ("builtins.ValueError", "k4711k is no pin", "Traceback ...")
    end = Settlement(job.id, job.claim, Move.END, "failed", 0.0, "exhausted", *error)
    execute(conn, jobs.fail(job.worker, [end]))
    fine = [address("bulk", "retry", text) for text in ("args.to=ann", 'error:"is no pin"', "key:of-*")]
    guesses = ("args.pin=k4711k", "args.pin:k4*", "error:k4711k", "key:of-k4*", "key=of-k4711k")
    for at in fine:
        assert re.search(r"\b1\s+job\b", form(acting, at).text), at
    for guess in guesses:
        page = form(acting, address("bulk", "retry", guess))
        assert not re.search(r"\b1\s+job\b", page.text), guess
        assert re.search(r"\b0\s+jobs\b", page.text), guess
    row = begun(conn, act(acting, address("bulk", "retry", "-error:k4711k -key:of-k4*")))
    drive_operations(conn)
    assert ended(conn, row.id).done == 1
