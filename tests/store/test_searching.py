"""Searching: what brute force finds, page by page while rows move, and bounded in what it reads."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from pgqueue.job import JobState
from pgqueue.record import Job
from pgqueue.search import Candidate, parse
from pgqueue.store import execute, jobs, reading, searching, suggesting
from pgqueue.store.looking import look
from tests.factories import Conn, claim_one, enqueue, fail, fill, make
from tests.postgres import Databases
from tests.store.crowds import TWENTIETH, analyse, crowd
from tests.store.plans import plans_of, rows_read, scans

OTHER = "shop.tasks:other"
Meant = Callable[[Job], bool]
QUERIES: list[tuple[str, Meant]] = [
    ("", lambda job: True),
    ("queue:mail", lambda job: job.queue == "mail"),
    ("queue:m*,default -state:dead", lambda job: job.queue in ("mail", "default") and job.state != "dead"),
    ("task:oth*", lambda job: job.target == OTHER),
    ("queue:m*,web -queue:we? queue!=none", lambda job: job.queue == "mail"),
    ("queue:mail,web queue:w*,default", lambda job: job.queue == "web"),
    ("-queue:m*,web", lambda job: job.queue == "default"),
    ("queue:mail -queue:m*", lambda job: False),
    ("task!=shop.tasks:other", lambda job: job.target != OTHER),
    ("state:dead queue:mail,web", lambda job: job.state == "dead" and job.queue in ("mail", "web")),
    ("state:scheduled,retrying", lambda job: job.state in ("scheduled", "retrying")),
    ("state:ready queue:web", lambda job: job.state == "ready" and job.queue == "web"),
    ("state:running", lambda job: job.state == "running"),
    ("args.n>40", lambda job: job.args["n"] > 40),
    ("args.n:1,2,3 label.parity:odd", lambda job: job.args["n"] in (1, 2, 3) and job.args["n"] % 2 == 1),
    ("-label.parity:odd", lambda job: job.args["n"] % 2 == 0),
    ('error:"NO route"', lambda job: job.state in ("dead", "retrying", "manual")),
    ("-error:route attempt>0", lambda job: job.attempt > 0 and job.state not in ("dead", "retrying", "manual")),
    ("key:only:7", lambda job: job.args["n"] == 7),
    ("reason:exhausted", lambda job: job.state == "dead"),
]


def made_of(db: Conn, count: int) -> list[UUID]:
    """Jobs in all states, with their number in their arguments."""
    chance = random.Random(7)
    made = []
    for n in range(count):
        state, queue = chance.choice(list(JobState)), chance.choice(["mail", "web", "default"])
        state = JobState.SCHEDULED if state is JobState.READY else state
        options = {"labels": {"parity": "odd" if n % 2 else "even"}, "unique_key": f"only:{n}"}
        made.append(make(db, state, args={"n": n}, queue=queue, **options))
    db.execute(
        "update pgqueue.jobs set run_at = now() where worker is null and attempt = 0 and (args ->> 'n')::int % 2 = 1"
    )
    for table, key in (("jobs", "id"), ("attempts", "job_id"), ("dead_jobs", "id")):
        db.execute(f"update pgqueue.{table} set target = %s where {key} = any (%s)", [OTHER, made[::3]])
    return made


def read_on(db: Conn, text: str, meanwhile: Callable[[], None] = lambda: None) -> list[UUID]:
    """The ids of page after page, to the end."""
    seen: list[UUID] = []
    before = None
    while True:
        answer = searching.page(db, parse(text, datetime.now(UTC)), before=before, limit=4)
        assert answer is not None
        found, about = answer
        assert [job.id for job in found] == [each.id for each in about.candidates]
        assert found == [execute(db, reading.get(job.id)) for job in found]
        seen += [job.id for job in found]
        if about.next is None:
            return seen
        assert before is None or about.next < before
        before = about.next
        meanwhile()


@pytest.mark.parametrize("budget", [7, 20_000])
def test_a_search_finds_page_by_page_what_brute_force_finds(
    db: Conn, budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "BUDGET", budget)
    made = made_of(db, 60)
    whole = [job for job in (execute(db, reading.get(each)) for each in made) if job is not None]
    assert {job.state for job in whole} == set(JobState)
    for text, meant in QUERIES:
        if budget == 7 and "running" in text:
            continue  # Those at the heads alone.
        assert read_on(db, text) == sorted((job.id for job in whole if meant(job)), reverse=True), text


def test_what_is_met_while_rows_move_is_met_once(db: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs end, die, are revived and come while pages are read; none is seen twice, none that stayed is missed."""
    monkeypatch.setattr(searching, "BUDGET", 9)
    made = made_of(db, 60)
    chance = random.Random(3)

    def move() -> None:
        for each in chance.sample(made, 5):
            execute(db, chance.choice([jobs.cancel, jobs.retry])(each))
        enqueue(db, {"n": 100})

    for text in ("task:*", "args.n<50", "queue:mail,web,default"):
        seen = read_on(db, text, move)
        assert len(seen) == len(set(seen))
        expected = made[:50] if "args" in text else made
        assert set(expected) <= set(seen)


def test_dead_jobs_of_a_cause_are_found_by_its_first_digits(db: Conn) -> None:
    dead = [make(db, JobState.DEAD) for _ in range(4)]
    db.execute("update pgqueue.dead_jobs set cause = 'aaaabbbbcccc' where id = any (%s)", [dead[:2]])
    db.execute("update pgqueue.dead_jobs set cause = 'aaaadddddddd' where id = %s", [dead[2]])
    db.execute(
        "insert into pgqueue.causes (cause, target) values ('aaaabbbbcccc', 'a:b'), ('aaaadddddddd', 'a:b')"
        " on conflict do nothing"
    )
    assert read_on(db, "cause:aaaab") == dead[1::-1]
    assert read_on(db, "cause:aaaa") == dead[2::-1]
    assert read_on(db, "state:dead cause:ffff") == []


def test_windows_of_time_are_windows_of_ids(db: Conn) -> None:
    now = datetime.now(UTC)

    def id_at(moment: datetime, n: int) -> UUID:
        return UUID(int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | n)

    old, new = id_at(now - timedelta(hours=3), 1), id_at(now - timedelta(hours=1), 2)
    for each in (old, new):
        enqueue(db, {"n": 1}, job_id=each)
    assert read_on(db, "since:2h") == [new]
    assert read_on(db, "before:2h") == [old]
    assert read_on(db, f"since:4h before:30m -id:{str(new)[:-1]}") == [old]
    assert read_on(db, f"id:{old!s}") == [old]


def test_jobs_that_are_named_are_found_in_whatever_state(db: Conn) -> None:
    made = [make(db, state) for state in JobState if state is not JobState.READY] + fill(db, 3)
    wanted = made[::2]
    assert read_on(db, f"id:{','.join(each.hex for each in wanted)}") == sorted(wanted, reverse=True)
    assert read_on(db, f"id:{wanted[0].hex},{made[1].hex} -id:{made[1].hex}") == [wanted[0]]
    assert read_on(db, f"id:{made[1].hex} state:ready") == []


def test_a_query_is_held_against_what_is_shown(db: Conn) -> None:
    job = claim_one(db, {"word": "sesame"})
    fail(db, job, None)
    db.execute("update pgqueue.dead_jobs set error = 'no sesame'")
    asked = {text: parse(text, datetime.now(UTC)) for text in ("error:sesame", "-error:sesame", "error:no")}

    def shown(each: Candidate) -> Candidate:
        assert each.args is not None
        return each._replace(error="no")

    found = {text: len(searching.search(db, query, shown=shown).candidates) for text, query in asked.items()}
    assert found == {"error:sesame": 0, "-error:sesame": 1, "error:no": 1}


def test_a_look_that_ends_early_says_how_far_it_came(db: Conn) -> None:
    made = fill(db, 30)
    answer = searching.search(db, parse("queue:nobody", datetime.now(UTC)), budget=10)
    assert (answer.candidates, answer.looked, answer.next) == ([], 10, made[-10])
    answer = searching.search(db, parse("task:nobody", datetime.now(UTC)), budget=10, before=made[-10])
    assert answer.next == made[-20]


def test_arguments_that_nobody_can_read_hide_no_other(db: Conn) -> None:
    made = enqueue(db, {"n": 1})
    for text in ('{"n": "\\u0000"}', '{"n": ' + "9" * 5000 + "}", "[" * 2000 + "]" * 2000):
        db.execute("insert into pgqueue.jobs (id, target, args) values (gen_random_uuid(), 'a:b', %s)", [text])
    answer = searching.search(db, parse("args.n=1", datetime.now(UTC)))
    assert [each.id for each in answer.candidates] == [made]


@pytest.fixture(scope="module", params=["never", "empty", "full"])
def crowded(databases: Databases, request: pytest.FixtureRequest) -> Any:
    import psycopg

    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    crowd(dsn, TWENTIETH, 20)
    analyse(dsn, request.param)
    with psycopg.connect(dsn, autocommit=True) as conn:
        yield conn
    databases.drop(name)


BOUNDED = [
    *("", "queue:q3", "task:nobody", "state:dead queue:q3", "state:dead error:nothing", "state:running", "args.x=1"),
    *("key:nobody", "state:retrying queue:q3", "since:2h", "id:019", "error:nothing worker:host3", "state:succeeded"),
]


def test_a_search_reads_its_budget_and_walks_indexes(crowded: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SECONDS", 30)
    for text in BOUNDED:
        plans = plans_of(crowded, lambda text=text: searching.page(crowded, parse(text, datetime.now(UTC))))
        assert [scan for scan in scans(plans) if scan["Node Type"] == "Seq Scan"] == [], text
        # Of an error the last attempt's, and of a page the jobs, are read beside.
        most = searching.BUDGET * (2.5 if "error" in text or "state:re" in text or "running" in text else 1.1)
        assert rows_read(plans) <= most + 5000, text


def test_the_exact_ways_read_what_they_answer(crowded: Conn) -> None:
    target = "01900000-0002-7000-8000-000000000007"
    far_apart = ",".join(f"01900000-00{n:02}-7000-8000-000000000007" for n in range(1, 90, 9))
    for text in (f"id:{target}", "id:019000000002700080000000000000", f"id:{far_apart}"):
        plans = plans_of(crowded, lambda text=text: searching.page(crowded, parse(text, datetime.now(UTC))))
        assert rows_read(plans) <= 600, text


def test_words_to_search_by_are_found_without_the_jobs(crowded: Conn) -> None:
    plans = plans_of(crowded, lambda: look(crowded, lambda conn: execute(conn, suggesting.words())))
    asked = scans(plans)
    assert {scan["Relation Name"] for scan in asked} <= {"tallies", "targets"}
    assert [scan for scan in asked if scan["Node Type"] == "Seq Scan"] == []
    assert rows_read(plans) <= suggesting.TALLIES + suggesting.APPS + 5000
