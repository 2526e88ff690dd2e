"""Every page answers, with what stands in the database, and changes nothing."""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from pgqueue.dashboard import Dashboard
from pgqueue.dashboard.pages import PAGES
from pgqueue.job import JobState
from pgqueue.job_log import Said
from pgqueue.job_progress import Progress
from pgqueue.store import durable, execute, job_logs, progress, queues
from tests.conftest import Connect
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.dashboard.filled import ADDRESSES, FORMS, fill
from tests.factories import claim_one, enlist, enqueue, fail, make
from tests.factories import fill as fill_queue
from tests.waiting import wait_until

Conn = psycopg.Connection[Any]


def test_every_page_answers_where_there_is_nothing(app: Dashboard) -> None:
    for page in PAGES:
        if page.path in (
            "/doctor",
            "/causes/{cause}",
            "/queue",
            "/schedule",
            "/limit",
            "/worker",
            "/jobs/{id}",
            "/operations/{number}",
            "/workflows/{id}",
        ):
            continue
        answer = ask(app, page.path)
        assert answer.status == 200, (page.path, answer.text)
        assert 'class="empty"' in answer.text


def test_every_page_answers_where_there_is_something_of_everything(app: Dashboard, conn: Conn) -> None:
    found = fill(conn)
    for shape in ADDRESSES:
        answer = ask(app, found.address(shape))
        assert answer.status == 200, (shape, answer.text)


def test_a_role_that_may_only_select_sees_every_page(app: Dashboard, conn: Conn, dsn: str, new_app: NewApp) -> None:
    found = fill(conn)
    role = f"viewer_{uuid4().hex[:8]}"
    conn.execute(f"create role {role} login")
    conn.execute(f"grant usage on schema pgqueue to {role}")
    conn.execute(f"grant select on all tables in schema pgqueue to {role}")
    theirs = new_app(read_dsn=f"{dsn} user={role}" if "://" not in dsn else _as(dsn, role), actions=True)
    try:
        for shape in (*ADDRESSES, *FORMS):
            answer = ask(theirs, found.address(shape))
            assert answer.status == 200, (shape, answer.text)
    finally:
        conn.execute(f"drop owned by {role}")
        conn.execute(f"drop role {role}")


def test_pages_are_asked_for_in_transactions_that_can_only_read(app: Dashboard, conn: Conn, connect: Connect) -> None:
    found = fill(conn)
    watching = connect(autocommit=True)
    for shape in ADDRESSES:
        ask(app, found.address(shape))
    sessions = watching.execute(
        "select distinct application_name, state from pg_stat_activity where application_name like 'pgqueue %%'"
    ).fetchall()
    assert sessions == [("pgqueue dashboard", "idle")]
    before = watching.execute("select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables").fetchone()
    assert before is not None


def test_a_job_shows_what_became_of_it(app: Dashboard, conn: Conn) -> None:
    claim = claim_one(conn, {"order_id": 12345678901234567890123}, max_attempts=2)
    fail(conn, claim, 0.0)
    (again,) = [claim_one_again(conn, claim.worker)]
    fail(conn, again, None)
    page = ask(app, f"/jobs/{claim.id}").text
    for words in ("12345678901234567890123", "builtins.OSError", "no route", "#1 failed", "#2 failed", "exhausted"):
        assert words in page, words


def test_what_a_job_said_is_shown_page_by_page(app: Dashboard, conn: Conn) -> None:
    claim = claim_one(conn)
    words = [f"line no {number}." for number in range(1, 451)]
    said = [Said(claim.id, claim.claim, 1, seq, 1.7e9, "info", line) for seq, line in enumerate(words, 1)]
    execute(conn, job_logs.keep(said))
    address, seen = f"/jobs/{claim.id}", list[str]()
    while address:
        page = ask(app, address).text
        found = [line for line in words if line in page]
        assert len(found) <= 200
        seen = found + seen
        more = [part.split('"')[0] for part in page.split('href="') if "before=" in part.split('"')[0]]
        address = more[0].replace("&amp;", "&") if more else ""
    assert seen == words
    assert ask(app, f"/jobs/{claim.id}?before=x").status == 200


def test_the_steps_of_a_durable_function_are_on_its_page_without_what_they_came_to(app: Dashboard, conn: Conn) -> None:
    claim = claim_one(conn, ["hunter2"])
    execute(conn, durable.remember(claim, "step", "<b>charge", 1, '"hunter2"', '{"target":"shop:refund","given":{}}'))
    execute(conn, durable.sleep(claim, "first day", 2, 3600))
    text = ask(app, f"/jobs/{claim.id}").text
    assert re.search(r"&lt;b&gt;charge.*shop:refund.*first day", text, re.DOTALL)
    assert "hunter2" not in text.partition('id="h-remembered"')[2].partition("</section>")[0]
    assert "h-remembered" not in ask(app, f"/jobs/{claim_one(conn).id}").text


def test_how_far_a_job_is_is_drawn_on_its_page(app: Dashboard, conn: Conn) -> None:
    claim = claim_one(conn)
    assert "<dt>progress</dt>" not in ask(app, f"/jobs/{claim.id}").text
    for done, ago in ((0, 10), (5000, 0)):
        said = Progress(done, 20_000, "<b>page</b>", time.monotonic() - ago)
        execute(conn, progress.note(claim.worker, [(claim.id, claim.claim, said)]))
    page = ask(app, f"/jobs/{claim.id}").text
    assert "25% done" in page
    assert "25 %, 5,000 of 20,000, about 30 s left: &lt;b&gt;page&lt;/b&gt;" in page


def claim_one_again(conn: Conn, worker: int) -> Any:
    from tests.factories import claim

    return claim(conn, worker)[0]


def test_a_number_of_5_000_digits_is_shown_digit_by_digit(app: Dashboard, conn: Conn) -> None:
    job = enqueue(conn, {"a": 1})
    conn.execute("update pgqueue.jobs set args = %s::json where id = %s", [f'{{"n": {"9" * 5000}}}', job])
    assert "9" * 5000 in ask(app, f"/jobs/{job}").text


def test_arguments_that_are_very_large_are_read_only_if_somebody_wants_them(app: Dashboard, conn: Conn) -> None:
    job = enqueue(conn, {"a": 1})
    conn.execute(
        """
        update pgqueue.jobs set args = json_build_object('x',
          (select string_agg(md5(n::text), '') from generate_series(1, 60000) as n)) where id = %s
        """,
        [job],
    )
    page = ask(app, f"/jobs/{job}").text
    assert "too large" in page
    assert len(page) < 50_000
    assert len(ask(app, f"/jobs/{job}?whole=1").text) > 60_000


def test_jobs_are_found_page_by_page_and_each_once(app: Dashboard, conn: Conn) -> None:
    made = {str(job) for job in fill_queue(conn, 120)}
    seen: list[str] = []
    address: str | None = "/jobs?limit=50"
    while address:
        text = ask(app, address).text
        seen += [job for job in made if f'title="{job}"' in text]
        more = [part for part in text.split('href="') if part.startswith("/jobs?") and "before=" in part.split('"')[0]]
        address = more[-1].split('"')[0].replace("&amp;", "&") if more else None
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize(
    ("search", "leads_to"),
    [
        ("q=mail", "/jobs?q=queue%3Amail"),
        ("q=shop.tasks:send", "/jobs?q=task%3Ashop.tasks%3Asend"),
        ("queue=mail&state=dead&target=a:b*", "/jobs?q=state%3Adead+queue%3Amail+task%3D%22a%3Ab%2A%22"),
    ],
)
def test_a_word_and_the_filters_of_old_addresses_lead_to_a_search(app: Dashboard, search: str, leads_to: str) -> None:
    answer = ask(app, f"/jobs?{search}")
    assert answer.status == 303
    where = answer.header("location")
    assert where is not None
    assert where.startswith(leads_to)
    assert "\n" not in where


def test_the_first_digits_of_an_id_lead_to_the_job(app: Dashboard, conn: Conn) -> None:
    job = enqueue(conn)
    assert ask(app, f"/jobs?q={str(job)[:13]}").header("location") == f"/jobs/{job}"
    assert ask(app, "/jobs?q=00000000").status == 404


@pytest.mark.parametrize(
    "address",
    ["/jobs/nothing", "/jobs/0190a7c2-1111-7000-8000-00000000e2ff", "/schedule?name=x", "/limit?of=key&name=x", "/x"],
)
def test_what_is_not_there_is_not_found(app: Dashboard, address: str) -> None:
    answer = ask(app, address)
    assert answer.status == 404
    assert "Not found" in answer.text


@pytest.mark.parametrize("name", ["\0", "\ufffd", "x" * 5_000, "0", "%00"])
def test_what_no_name_could_be_is_not_found(app: Dashboard, name: str) -> None:
    for page in PAGES:
        if "{" in page.path:
            answer = ask(app, re.sub(r"\{\w+\}", name, page.path))
            assert (answer.status, "Not found" in answer.text) == (404, True), page.path


@pytest.mark.parametrize("query", ["before=x", "q=state:x", "limit=7", "limit=x", "queue=%00", "after=%FF", "sort=x"])
def test_what_an_address_says_wrongly_is_not_asked_for(app: Dashboard, query: str) -> None:
    for path in ("/jobs", "/queues", "/dead", "/running"):
        assert ask(app, f"{path}?{query}").status == 200


def test_a_table_that_somebody_locks_gives_an_answer_soon(app: Dashboard, conn: Conn, connect: Connect) -> None:
    ask(app, "/")
    locking = connect()
    locking.execute("lock table pgqueue.jobs in access exclusive mode")
    answer = ask(app, "/queues")
    assert (answer.status, "did not answer in time" in answer.text) == (503, True)
    locking.rollback()
    assert ask(app, "/queues").status == 200


def test_no_database_and_no_schema_are_said(new_app: NewApp, server: Any) -> None:
    from pgqueue.dashboard import create_app

    lost = ask(create_app("postgresql://ann:hush%21@localhost:1/none"), "/")
    assert lost.status == 503
    assert "hush" not in lost.text
    empty = ask(create_app(server.dsn("postgres", tcp=True)), "/")
    assert empty.status == 503
    assert "pgqueue migrate" in empty.text


def test_connections_that_the_server_ended_are_replaced(app: Dashboard, connect: Connect) -> None:
    assert ask(app, "/").status == 200
    admin = connect(autocommit=True)
    ended = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgqueue dashboard'"
    assert admin.execute(ended).fetchone() == (True,)
    gone = "select count(*) from pg_stat_activity where application_name = 'pgqueue dashboard'"
    wait_until(lambda: admin.execute(gone).fetchone() == (0,))
    assert ask(app, "/").status == 200


def test_a_pool_of_the_application_serves(conn: Conn, connect: Connect, new_app: NewApp) -> None:
    from contextlib import contextmanager

    class Pool:
        @contextmanager
        def connection(self) -> Any:
            yield connect()

    enqueue(conn)
    assert ask(new_app(pool=Pool()), "/jobs").status == 200


def test_a_paused_queue_and_a_lost_lease_are_said(app: Dashboard, conn: Conn) -> None:
    from tests.factories import expire

    enqueue(conn)
    worker = enlist(conn)
    expire(conn, worker)
    execute(conn, queues.pause("other"))
    make(conn, JobState.SCHEDULED, queue="other")
    page = ask(app, "/").text
    for words in ("no worker is at work", "1 queue is paused"):
        assert words in page, words
    assert "lease" in ask(app, "/workers").text


def _as(dsn: str, role: str) -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo(dsn, user=role)
