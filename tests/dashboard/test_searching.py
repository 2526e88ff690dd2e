"""The Jobs page: a search in words, page by page, and nothing by it that whoever asks may not see."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from pgqueue.dashboard import Dashboard, User
from pgqueue.job import JobState
from pgqueue.store import execute, jobs, reading, searching, suggesting
from tests.conftest import Connect
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.factories import claim_one, enlist, enqueue, fail, make
from tests.factories import fill as fill_queue
from tests.store.test_searching import QUERIES, made_of

Conn = psycopg.Connection[Any]


def found_by(app: Dashboard, text: str, meanwhile: Callable[[], None] = lambda: None) -> list[str]:
    """The ids on page after page, as somebody finds them who clicks on."""
    seen: list[str] = []
    address: str | None = f"/jobs?limit=25&q={quote(text)}"
    while address is not None:
        page = ask(app, address)
        assert page.status == 200, page.text
        assert 'role="alert"' not in page.text, page.text
        seen += ids_in(page.text)
        address = next(iter(pages_behind(page.text)), None)
        meanwhile()
    return seen


def ids_in(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a class="id" href="[^"]*/jobs/([0-9a-f-]{36})"', text)


def pages_behind(text: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'href="(/jobs\?[^"]*before=[^"]*)"', text)]


def test_a_search_finds_page_by_page_what_brute_force_finds(app: Dashboard, conn: Conn) -> None:
    made = made_of(conn, 80)
    whole = [job for job in (execute(conn, reading.get(each)) for each in made) if job is not None]
    for text, meant in QUERIES:
        assert found_by(app, text) == [str(job.id) for job in reversed(whole) if meant(job)], text


def test_while_jobs_move_each_that_is_meant_throughout_is_met_once(app: Dashboard, conn: Conn) -> None:
    made = [str(each) for each in fill_queue(conn, 130)]
    moving = iter(made[::7])

    def move() -> None:
        for each, _ in zip(moving, range(4), strict=False):
            execute(conn, jobs.cancel(each))  # type: ignore[arg-type]
        enqueue(conn)

    seen = found_by(app, "task:*", move)
    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in made] == made[::-1]
    stayed = set(made) - set(made[::7])
    assert stayed <= set(found_by(app, "state:ready"))


def test_a_look_that_ended_early_says_so_and_goes_on(
    app: Dashboard, conn: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "BUDGET", 10)
    wanted = enqueue(conn, {"n": 7})
    fill_queue(conn, 25)
    page = ask(app, "/jobs?q=args.n=7").text
    assert "Looked at 10 jobs back to" in page
    assert "None among those that were looked at" in page
    assert "Look further" in page
    further, ten_times = pages_behind(page)
    assert ids_in(ask(app, further).text) == []
    assert ids_in(ask(app, ten_times).text) == [str(wanted)]


@pytest.mark.parametrize(
    ("text", "said", "marked", "meant"),
    [
        ("state:dead queu:mail", "no field 'queu'; did you mean queue?", " " * 11 + "^" * 9, "state:dead queue:mail"),
        ("state:ded", "no job is 'ded'; did you mean dead?", "^" * 9, "state:dead"),
        ('queue:mail error:"x', "a quote is not closed", " " * 11 + "^" * 8, None),
        ("since:soon", "a moment reads 2h (ago)", "^" * 10, None),
        ("two words", "a word of a query reads field:value", "^" * 3, None),
        ("queue:a" + " queue:b" * 60, "at most 50 words", None, None),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_in_place(
    app: Dashboard, text: str, said: str, marked: str | None, meant: str | None
) -> None:
    page = ask(app, f"/jobs?q={quote(text)}")
    assert page.status == 200
    shown = unescape(page.text)
    assert said in shown
    assert f'value="{text}"'.replace('"x', "&#34;x") in page.text
    if marked is not None:
        assert re.search(rf"^{re.escape(marked)}</pre>", shown, re.MULTILINE), shown
    if meant is not None:
        assert f'<a href="/jobs?q={quote(meant, safe="").replace("%20", "+")}">' in page.text


def test_what_nobody_has_leads_to_the_nearest_name(app: Dashboard, conn: Conn) -> None:
    enqueue(conn, queue="mailing")
    assert 'href="/jobs?q=queue%3Amailing"' in ask(app, "/jobs?q=queue:mailng").text


def test_an_id_or_its_first_digits_lead_to_the_job_and_several_to_a_list(app: Dashboard, conn: Conn) -> None:
    first, second = fill_queue(conn, 2)
    for said in (str(first), f"#{first}", first.hex, f" {first} "):
        assert ask(app, f"/jobs?q={quote(said)}").header("location") == f"/jobs/{first}"
    digits = first.hex[:8]
    assert ask(app, f"/jobs?q={str(first)[:8]}").header("location") == f"/jobs?q=id%3A{digits}"
    assert ids_in(ask(app, f"/jobs?q=id:{digits}").text) == [str(second), str(first)]
    assert ask(app, "/jobs?q=0190ffff-0000").status == 404


@pytest.fixture
def tenant(new_app: NewApp) -> Dashboard:
    return new_app(auth=lambda _: User("ann", "operator", ["mail.*", "web", "!mail.secret"]))


ESCAPES = [
    "",
    "queue:bank",
    "queue=bank",
    "queue:bank,mail.eu",
    "queue:*",
    "-queue:mail.*",
    "-queue:mail.* -queue:web",
    'queue:"bank"',
    'queue:"mail.*,bank"',
    "queue:mail.secret",
    "queue:mail.*",
    "state:dead queue:bank",
    "state:dead",
    "state:running",
    "state:scheduled,retrying",
    "state:succeeded,cancelled",
    "id:{id}",
    "id:{short}",
    "key:only:bank",
    "key:only:mail.secret",
    "cause:c0ffee000000",
    "error:route",
    "-error:nothing",
    "args.n:*",
    "label.of:*",
    "task:*",
    "since:1d",
    "before:+1d",
    "attempt>=0",
    "queue!=mail.eu",
    "\\",
    'queue:\\" queue:bank',
    'x" queue:bank',
    "queue:mail.* OR queue:bank",
    "queue:mail.*\n-queue:x\tqueue:bank",
    "' or 1=1 --",
    "queue:%",
    "queue:ban_",
]


def test_no_query_finds_a_job_of_queues_that_do_not_exist_for_whoever_asks(tenant: Dashboard, conn: Conn) -> None:
    hidden, theirs = [], []
    for queue in ("mail.eu", "web", "bank", "mail.secret"):
        options = {"queue": queue, "labels": {"of": queue}}
        made = [make(conn, state, args={"n": 1}, **options) for state in JobState if state is not JobState.READY]
        made.append(enqueue(conn, {"n": 1}, unique_key=f"only:{queue}", **options))
        (theirs if queue in ("mail.eu", "web") else hidden).extend(made)
    conn.execute("update pgqueue.dead_jobs set cause = 'c0ffee000000'")
    for text in ESCAPES:
        for limit in (25, 200):
            said = text.format(id=hidden[0], short=hidden[0].hex[:8])
            page = ask(tenant, f"/jobs?limit={limit}&q={quote(said)}")
            assert not {str(each) for each in hidden} & {*ids_in(page.text)}, said
            assert not any(str(each) in page.text.replace(quote(said), "").replace(said, "") for each in hidden), said
    assert set(found_by(tenant, "")) == {str(each) for each in theirs}
    assert set(found_by(tenant, "queue:*")) == {str(each) for each in theirs}
    for said in (str(hidden[0]), hidden[0].hex[:20]):
        assert ask(tenant, f"/jobs?q={said}").status == 404
    assert "bank" not in ask(tenant, "/jobs?q=queue:bnk").text


def test_whoever_sees_no_queue_finds_nothing(new_app: NewApp, conn: Conn) -> None:
    enqueue(conn, queue="mail")
    for queues in ([], ["!web"], [""]):
        assert found_by(new_app(auth=lambda _, queues=queues: User("ann", "admin", queues)), "queue:mail") == []


def test_very_many_queues_of_a_tenant_are_no_mistake_of_theirs(new_app: NewApp, conn: Conn) -> None:
    job = enqueue(conn, queue="q-0999")
    many = new_app(auth=lambda _: User("ann", "admin", [f"q-{n:04}" for n in range(2000)]))
    assert found_by(many, "state:ready") == [str(job)]
    assert 'role="alert"' in ask(many, "/jobs?q=" + "queue:a+" * 51).text


def test_arguments_and_secrets_cannot_be_guessed_at_by_a_search(new_app: NewApp, conn: Conn) -> None:
    args = {"n": 1, "password": "sesame-open", "user": {"api_key": "sesame-too", "name": "ann"}}
    dead = claim_one(conn, args, labels={"token": "sesame-three"})
    fail(conn, dead, None)
    conn.execute("update pgqueue.dead_jobs set error = 'no login with sesame-open at all'")
    operator, viewer = (new_app(auth=lambda _, role=role: User("ann", role)) for role in ("operator", "viewer"))
    assert "arguments are not shown to you" in ask(viewer, "/jobs?q=args.n=1").text
    assert found_by(operator, "args.n=1 args.user.name:ann") == [str(dead.id)]
    for text in (
        "args.password:sesame*",
        "-args.password:x",
        "args.user.api_key>a",
        'args.user="{\\"api_key\\": \\"sesame-too\\", \\"name\\": \\"ann\\"}"',
        'args."user.api_key"=x',
        "label.token:*",
    ):
        page = ask(operator, f"/jobs?q={quote(text)}").text
        assert "cannot be searched either" in page, text
        assert ids_in(page) == [], text
    assert found_by(operator, "error:login") == [str(dead.id)]
    for text in ("error:sesame", 'error:"login with sesame-open"'):
        assert found_by(operator, text) == []
    assert found_by(operator, "-error:sesame") == [str(dead.id)]


def test_columns_are_chosen_by_boxes_and_stand_in_the_address(app: Dashboard, conn: Conn) -> None:
    enqueue(conn, unique_key="order:7", priority=8)
    sent = ask(app, "/jobs?choose=1&q=queue:default&limit=25&column.key=1&column.priority=1&column.nonsense=1")
    assert sent.status == 303
    where = sent.header("location") or ""
    assert where == "/jobs?q=queue%3Adefault&limit=25&columns=priority%2Ckey"
    page = ask(app, where).text
    assert "order:7" in page
    assert 'data-label="state"' not in page
    assert ask(app, "/jobs?columns=nonsense").text.count("<th") == ask(app, "/jobs").text.count("<th")


def test_what_is_offered_beside_the_box_never_asks_the_jobs(
    app: Dashboard, conn: Conn, connect: Connect, tenant: Dashboard
) -> None:
    conn.execute(
        """
        insert into pgqueue.tallies (minute, queue, target, outcome, n) values
          (now(), 'mail.eu', 'shop.mail:send', 'succeeded', 1), (now(), 'bank', 'shop.bank:pay', 'succeeded', 1)
        """
    )
    conn.execute("insert into pgqueue.targets (hash, names) values ('h', '{shop.other:run}')")
    connect().execute("lock table pgqueue.jobs, pgqueue.attempts, pgqueue.dead_jobs in access exclusive mode")
    found = execute(conn, suggesting.words())
    assert sorted(found, key=str) == sorted(
        [("mail.eu", "shop.mail:send"), ("bank", "shop.bank:pay"), (None, "shop.other:run")], key=str
    )


def test_what_is_offered_goes_on_from_what_was_asked_and_is_of_queues_that_exist(
    app: Dashboard, conn: Conn, tenant: Dashboard
) -> None:
    conn.execute(
        """
        insert into pgqueue.tallies (minute, queue, target, outcome, n) values
          (now(), 'mail.eu', 'shop.mail:send', 'succeeded', 1), (now(), 'bank', 'shop.bank:pay', 'succeeded', 1)
        """
    )
    assert '<option value="since:2h queue:bank" data-word="queue:bank">' in ask(app, "/jobs?q=since:2h").text
    page = ask(tenant, "/jobs?q=since:2h").text
    assert 'value="since:2h task:shop.mail:send"' in page
    assert "bank" not in page


def test_tabs_put_a_state_in_place_of_another(app: Dashboard, conn: Conn) -> None:
    make(conn, JobState.DEAD)
    enlist(conn)
    page = ask(app, "/jobs?q=state:ready+queue:default").text
    assert 'href="/jobs?q=queue%3Adefault+state%3Adead"' in page
    assert 'href="/jobs?q=queue%3Adefault"' in page
    assert re.search(r"dead <span class=\"count\">1</span>", ask(app, "/jobs").text)
