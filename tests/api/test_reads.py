"""What the API answers: exact, bounded, without secrets, and only what exists for whoever asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest

from pgqueue.dashboard import Dashboard
from pgqueue.job import JobState
from pgqueue.job_log import Said
from pgqueue.leaving_out import HIDDEN
from pgqueue.store import execute, job_logs, limits, schedules
from tests.api.addresses import ADDRESSES, act
from tests.api.asking import ask, read
from tests.dashboard.filled import OTHERS, THEIRS, fill, fill_two_tenants, planted
from tests.factories import Conn, claim, claim_one, enlist, enqueue, fail, make, settle
from tests.factories import fill as enqueue_many

SECRET = "hush-7f3a91"


@pytest.fixture(autouse=True)
def _empty(conn: Conn) -> Iterator[None]:
    yield
    names = conn.execute(
        "select string_agg(format('pgqueue.%I', tablename), ', ') from pg_tables"
        " where schemaname = 'pgqueue' and tablename <> 'alembic_version'"
    ).fetchone()
    assert names is not None
    conn.execute(f"truncate {names[0]} restart identity")


@pytest.mark.parametrize(
    "digits",
    ["9" * 5000, "-12345678901234567890", "1.10", "1e400", "-0.0", "9007199254740993", "0.1000000000000000055"],
)
def test_numbers_of_arguments_and_results_are_as_they_were_written(app: Dashboard, conn: Conn, digits: str) -> None:
    job = enqueue(conn, store_result=True)
    text = f'{{"n": [{digits}]}}'
    conn.execute("update pgqueue.jobs set args = %s::json where id = %s", [text, job])
    conn.execute("insert into pgqueue.results values (%s, now() + interval '1 day', %s)", [job, text])
    told = json.loads(ask(app, f"/jobs/{job}").text, parse_int=str, parse_float=str)
    assert told["args"] == {"n": [digits]}
    assert told["result"] == {"n": [digits]}
    assert told["args_shown"] == told["result_shown"] == "whole"


def test_ids_are_texts_and_no_digit_of_a_worker_is_lost(app: Dashboard, conn: Conn) -> None:
    job = claim_one(conn)
    worker = conn.execute("select id from pgqueue.workers").fetchone()
    assert worker is not None
    assert read(app, f"/jobs/{job.id}")["worker"] == str(worker[0])
    assert read(app, "/running")["items"][0]["worker"] == str(worker[0])
    assert read(app, "/workers")["items"][0]["id"] == str(worker[0])
    assert read(app, f"/running?worker={worker[0]}")["items"][0]["id"] == str(job.id)


def test_what_nests_too_deep_to_be_read_is_the_text_that_it_is(app: Dashboard, conn: Conn) -> None:
    job = enqueue(conn)
    text = "[" * 3000 + "]" * 3000
    conn.execute("update pgqueue.jobs set args = %s::json", [text])
    told = read(app, f"/jobs/{job}")
    assert told["args"] == text
    assert told["args_shown"] == "text"


def test_planted_secrets_are_found_in_no_answer(app: Dashboard, conn: Conn) -> None:
    found = fill(conn, args=planted(SECRET))
    act(conn, found)
    said = f"no such key {SECRET}: {json.dumps(SECRET)}"
    of_dead = "update pgqueue.attempts set error = %s, traceback = %s where job_id = %s"
    conn.execute(of_dead, [said, f"Traceback\n{said}", found.dead])
    conn.execute("update pgqueue.dead_jobs set error = %s, reason = %s", [said, said])
    conn.execute("update pgqueue.causes set error = %s", [said])
    conn.execute(
        "insert into pgqueue.results select id, now() + interval '1 day', %s from pgqueue.jobs",
        [json.dumps({"token": SECRET})],
    )
    secret_label = json.dumps({"api-key": SECRET})
    for table in ("jobs", "dead_jobs", "attempts"):
        conn.execute(f"update pgqueue.{table} set labels = %s where args is not null", [secret_label])
    conn.execute("update pgqueue.schedules set args = %s, labels = %s", [json.dumps(planted(SECRET)), secret_label])
    conn.execute("update pgqueue.feeds set cursor = %s", [secret_label])
    for shape in ADDRESSES:
        assert SECRET not in ask(app, found.address(shape)).text, shape
    told = read(app, f"/jobs/{found.dead}")
    assert told["args"]["password"] == HIDDEN
    assert told["args_shown"] == "redacted"
    assert HIDDEN in told["attempts"][0]["error"]
    assert HIDDEN in read(app, "/schedule?name=mail")["args"]["password"]


def test_a_viewer_gets_no_arguments_and_no_results(app: Dashboard, conn: Conn) -> None:
    found = fill(conn, args={"to": "the-argument"})
    conn.execute(
        "insert into pgqueue.results select id, now() + interval '1 day', %s from pgqueue.jobs", ['"the-argument"']
    )
    for shape in ADDRESSES:
        assert "the-argument" not in ask(app, found.address(shape), "viewer").text, shape
    told = read(app, f"/jobs/{found.waiting}", "viewer")
    assert (told["args_shown"], told["result_shown"], told["has_result"]) == ("hidden", "hidden", True)
    assert read(app, f"/jobs/{found.waiting}", "operator")["args"] == {"to": "the-argument"}


def test_nothing_of_other_queues_is_answered_to_a_tenant(app: Dashboard, conn: Conn) -> None:
    enlist(conn, queues=[THEIRS, OTHERS])
    hidden = fill_two_tenants(conn)
    seen = 0
    for shape in ADDRESSES:
        if "{" in shape:
            continue
        text = ask(app, shape, "tenant").text
        assert OTHERS not in text, shape
        seen += THEIRS in text
    assert seen > 5
    assert OTHERS not in ask(app, f"/queue?name={THEIRS}", "tenant").text
    refused = [f"/queue?name={OTHERS}", f"/queue/explain?name={OTHERS}", f"/schedule?name=of {OTHERS}", "/doctor"]
    refused += [f"/limit?of=queue&name={OTHERS}", "/operations/1", "/causes/0123456789ab"]
    refused += [f"/jobs/{job}{more}" for job in hidden for more in ("", "/attempts", "/explain")]
    for address in refused:
        assert ask(app, address, "tenant").status == 404, address
    assert read(app, f"/jobs?queue={OTHERS}", "tenant")["items"] == []
    for query in (f"queue={OTHERS}", "queue:*", "-queue:mail.eu", f"key:* queue:{OTHERS}"):
        assert OTHERS not in ask(app, f"/jobs?q={quote(query)}&limit=200", "tenant").text
    assert read(app, f"/past?queue={OTHERS}", "tenant")["charts"] == []
    assert read(app, "/past", "tenant")["charts"] == []


def test_pages_of_jobs_are_all_jobs_once_while_they_move(app: Dashboard, conn: Conn) -> None:
    worker = enlist(conn, concurrency=10)
    for _ in range(5):
        make(conn, JobState.SUCCEEDED)
    enqueue_many(conn, 40)
    there = {row[0] for row in conn.execute("select id from pgqueue.job")}
    met: list[UUID] = []
    address = "/jobs?limit=7"
    while True:
        page = read(app, address)
        met += [UUID(each["id"]) for each in page["items"]]
        if page["next"] is None:
            break
        # Between two pages some end, some die, and new ones come.
        first, second = claim(conn, worker, 2)
        settle(conn, first)
        fail(conn, second, None)
        enqueue(conn)
        address = f"/jobs?limit=7&before={page['next']}"
    assert len(met) == len(set(met))
    assert set(met) == there


def test_a_search_goes_on_to_its_end_and_is_what_the_query_says(app: Dashboard, conn: Conn) -> None:
    for n in range(30):
        enqueue(conn, {"n": n, "big": 12345678901234567890123}, queue=f"mail.{n % 2}", labels={"of": str(n % 3)})
    there = {row[0] for row in conn.execute("select id from pgqueue.jobs where queue = 'mail.0'")}
    met: list[UUID] = []
    more: str | None = ""
    while more is not None:
        page = read(app, f"/jobs?q=args.big=12345678901234567890123%20queue:mail.*&queue=mail.0&limit=4{more}")
        met += [UUID(each["id"]) for each in page["items"]]
        more = None if page["next"] is None else f"&before={page['next']}"
    assert len(met) == len(set(met)) == 15
    assert set(met) == there
    assert len(read(app, "/jobs?q=label.of=1%20args.n%3E20&limit=200")["items"]) == 3
    assert read(app, "/dead?q=queue:mail.*")["items"] == []
    assert read(app, "/jobs?q=queue:mail.1&state=dead")["items"] == []


@pytest.mark.parametrize(
    ("query", "who", "complaint"),
    [
        ("quue:mail", "admin", "did you mean queue?"),
        ("state:gone", "admin", "no job is"),
        ("args.user=1", "viewer", "arguments are not shown to you"),
        ("args.password=hush", "admin", "is hidden"),
        ("label.api-key=hush", "operator", "is hidden"),
        ("-args.user.token:h*", "admin", "is hidden"),
        ('args.user="{\\"token\\":\\"hush\\"}"', "admin", "is hidden"),
    ],
)
def test_a_search_that_cannot_be_read_or_asks_for_what_is_hidden_is_refused(
    app: Dashboard, query: str, who: str, complaint: str
) -> None:
    answer = ask(app, f"/jobs?q={quote(query)}", who)
    assert answer.status == 400
    assert complaint in json.loads(answer.text)["detail"]


def test_nothing_is_found_by_what_is_hidden(app: Dashboard, conn: Conn) -> None:
    found = fill(conn, args=planted(SECRET))
    conn.execute("update pgqueue.dead_jobs set error = %s", [f"no such key {SECRET}"])
    for query, ids in ((f"error:{SECRET}", []), ('error:"no such key"', [found.dead])):
        assert [each["id"] for each in read(app, f"/jobs?q={quote(query)}")["items"]] == list(map(str, ids))
    assert str(found.dead) in ask(app, f"/jobs?q={quote(f'-error:{SECRET} state:dead')}").text


def test_what_a_job_said_is_read_to_its_beginning_and_without_its_secrets(app: Dashboard, conn: Conn) -> None:
    job = claim_one(conn, {"token": SECRET})
    said = [Said(job.id, job.claim, job.attempt, seq, 0.0, "info", f"line {seq} {SECRET}") for seq in range(1, 451)]
    execute(conn, job_logs.keep(said))
    met: list[int] = []
    more = ""
    while True:
        page = read(app, f"/jobs/{job.id}/logs{more}")
        met = [each["seq"] for each in page["items"]] + met
        assert SECRET not in json.dumps(page)
        if page["next"] is None:
            break
        more = f"?before={page['next']}"
    assert met == list(range(1, 451))


@pytest.mark.parametrize("path", ["/queues?limit=2", "/schedules", "/limits", "/audit", "/operations"])
def test_pages_by_name_or_number_are_all_rows_once(app: Dashboard, conn: Conn, path: str) -> None:
    found = fill(conn)
    for n in range(5 if path.startswith("/queues") else 105):
        enqueue(conn, queue=f"queue{n}") if path.startswith("/queues") else None
        if path == "/schedules":
            execute(conn, schedules.put({"name": f"s{n}", "every": 60, "target": "a:b"}))
        elif path == "/limits":
            execute(conn, limits.put("key", f"k{n}", 1, None, None, None, None, None))
        else:
            act(conn, found)
    met: list[str] = []
    more = path
    while True:
        page = read(app, more)
        met += [f"{each.get('scope')}:{each.get('name') or each.get('queue') or each['id']}" for each in page["items"]]
        if page["next"] is None:
            break
        name = "before" if path.startswith(("/audit", "/operations")) else "after"
        more = f"{path}{'&' if '?' in path else '?'}{name}={page['next']}"
    table = path.strip("/")
    if not path.startswith("/queues"):
        assert len(met) == (conn.execute(f"select count(*) from pgqueue.{table}").fetchone() or [0])[0]
    assert len(met) == len(set(met)) > 4


def test_an_answer_that_has_not_changed_is_304_and_one_that_has_is_new(app: Dashboard, conn: Conn) -> None:
    job = enqueue(conn)
    first = ask(app, f"/jobs/{job}")
    tag = first.header("etag") or ""
    for known in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        again = ask(app, f"/jobs/{job}", headers=[("if-none-match", known)])
        assert (again.status, again.text) == (304, "")
        assert again.header("etag") == tag
    assert ask(app, f"/jobs/{job}", headers=[("if-none-match", '"other"')]).status == 200
    conn.execute("update pgqueue.jobs set priority = 9")
    changed = ask(app, f"/jobs/{job}", headers=[("if-none-match", tag)])
    assert changed.status == 200
    assert changed.header("etag") != tag


def test_the_moment_at_which_was_asked_is_no_change(app: Dashboard) -> None:
    first, second = ask(app, "/overview"), ask(app, "/overview")
    assert json.loads(first.text)["at"] != json.loads(second.text)["at"]
    assert first.header("etag") == second.header("etag")


def test_head_is_get_without_its_body(app: Dashboard, conn: Conn) -> None:
    enqueue(conn)
    whole, head = ask(app, "/jobs"), ask(app, "/jobs", method="HEAD")
    assert head.text == ""
    assert head.status == 200
    for name in ("etag", "content-length", "content-type"):
        assert head.header(name) == whole.header(name)


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("/jobs?limit=0", "limit is a whole number from 1 to 200"),
        ("/jobs?limit=201", "limit is"),
        ("/jobs?limit=1e2", "limit is"),
        ("/jobs?limit=%C2%B2", "limit is"),
        ("/jobs?limt=5", "did you mean limit?"),
        ("/jobs?limit=5&limit=6", "limit stands twice"),
        ("/jobs?before=x", "before is the id of a job"),
        ("/jobs?state=gone", "state is one of"),
        ("/jobs?queue=%00", "queue is"),
        ("/audit?before=99999999999999999999", "before is"),
        ("/queue", "name is missing"),
        ("/queue?name=", "name is"),
        ("/past?range=9h", "range is one of"),
        ("/dead?cause=x", "cause is a text of the form"),
        ("/dead?cause=0123456789ab%0A", "cause is a text of the form"),
        ("/jobs/0/logs?before=x", "before is a text of the form"),
    ],
)
def test_what_an_address_says_wrongly_is_said(app: Dashboard, address: str, complaint: str) -> None:
    answer = ask(app, address)
    assert answer.status == 400
    told = json.loads(answer.text)
    assert complaint in told["detail"]
    assert told["cure"]


def test_a_table_that_is_locked_is_no_answer_and_says_when_to_ask_again(app: Dashboard, dsn: str) -> None:
    with psycopg.connect(dsn) as holder:
        holder.execute("lock table pgqueue.jobs in access exclusive mode")
        answer = ask(app, "/jobs")
    assert answer.status == 503
    assert answer.header("retry-after") == "1"
    assert read(app, "/jobs")["items"] == []


def test_nothing_in_an_answer_steers_a_terminal(app: Dashboard, conn: Conn) -> None:
    evil = "\x1b[2J\u202e\x85\u2028\u200b"
    found = fill(conn, evil)
    act(conn, found)
    for shape in ADDRESSES:
        answer = ask(app, found.address(shape))
        assert answer.status == 200, (shape, answer.text)
        assert [letter for letter in answer.text if letter != "\n" and not letter.isprintable()] == [], shape
    assert read(app, f"/jobs/{found.dead}")["queue"] == evil


def test_a_lone_surrogate_is_still_the_same_text(app: Dashboard, conn: Conn) -> None:
    job = enqueue(conn)
    conn.execute("update pgqueue.jobs set args = %s::json", ['["\\ud800"]'])
    assert '"\\ud800"' in ask(app, f"/jobs/{job}").text


def test_no_question_changes_anything(app: Dashboard, conn: Conn) -> None:
    found = fill(conn)
    act(conn, found)
    before = rows_of(conn)
    for shape in ADDRESSES:
        ask(app, found.address(shape))
    assert rows_of(conn) == before


def rows_of(conn: Conn) -> dict[str, Any]:
    """Every row by the transaction that wrote it."""
    tables = conn.execute("select tablename from pg_tables where schemaname = 'pgqueue'").fetchall()
    return {
        name: conn.execute(f"select xmin::text, ctid::text from pgqueue.{name} order by 2").fetchall()
        for (name,) in tables
    }
