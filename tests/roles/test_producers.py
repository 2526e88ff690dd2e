"""A producer enqueues in every way that Python and SQL have, and can do nothing else."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import pgqueue
from pgqueue.cli.app import main
from pgqueue.client import enqueue, enqueue_many
from pgqueue.job import NewJob
from tests.roles.conftest import Staffed
from tests.worker.errands import adding, work

Conn = psycopg.Connection[Any]
OTHERS = '{"card": "4111 1111 1111 1111"}'


def count(staffed: Staffed) -> int:
    (n,) = staffed.conn.execute("select count(*) from pgqueue.jobs").fetchone() or (0,)
    return int(n)


@pytest.fixture
def theirs(staffed: Staffed) -> Any:
    """The id of a job of somebody else."""
    (job,) = staffed.conn.execute(
        "select pgqueue.enqueue('shop:pay', %s, unique_key => %s)", [OTHERS, str(uuid4())]
    ).fetchone() or (None,)
    return job


def test_every_way_to_enqueue_is_open(staffed: Staffed) -> None:
    before = count(staffed)
    with staffed.connect("producer") as conn:
        options: dict[str, Any] = {"queue": "q", "priority": 7, "timeout": 9, "max_attempts": 2, "cost": 3}
        enqueue(conn, work, [1], **options, limit_key="l", store_result=True, labels={"a": "b"}, delay=60)
        enqueue(conn, work, notify="off")
        key = {"unique": "args", "unique_until": "start", "unique_for": 60}
        assert enqueue(conn, work, [2], **key).created
        assert not enqueue(conn, work, [2], **key).created
        assert enqueue(conn, work, [2], **key, on_conflict="replace", priority=7).replaced
        given = uuid4()
        assert enqueue(conn, work, job_id=given, ttl=60).created
        assert not enqueue(conn, work, job_id=given, ttl=60).created
        assert enqueue(conn, work, on_success=["shop:pay"], on_end=[NewJob("shop:pay", {"n": 1})]).created
        enqueue_many(conn, [NewJob(work, labels={"a": "b"}, limit_key="l")] * 2)
        enqueue_many(conn, [NewJob(work, unique_key="many", delay=3), NewJob(work, job_id=uuid4())])
        enqueue_many(conn, [NewJob(work, unique_key="x", on_conflict="keep", cost=2), NewJob(work)])
        enqueue_many(conn, [NewJob(work, labels={"a": "b"}, timeout=9, max_attempts=2, limit_key="l")] * 200)
        conn.execute("select pgqueue.enqueue('shop:pay', '[1]', delay => '1 hour', unique_key => 'sql')")
        conn.execute("select pgqueue.enqueue_unique('shop:pay', '[1]', on_conflict => 'replace')")
    assert count(staffed) == before + 5 + 6 + 200 + 2


def test_the_command_enqueues_too(staffed: Staffed, capsys: pytest.CaptureFixture[str]) -> None:
    before = count(staffed)
    for words in (
        ["shop:pay", "[1]"],
        ["shop:pay", '{"a": 1}', "--unique-key", "typed", "--queue", "q", "--delay", "60"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(["enqueue", *words], dsn=staffed.logins["producer"])
        assert not ended.value.code, capsys.readouterr().err
    assert count(staffed) == before + 2


def test_workflows_are_enqueued_and_open_groups_filled(staffed: Staffed) -> None:
    with staffed.connect("producer") as conn:
        whole = pgqueue.Workflow("whole", unique_key="w")
        first = whole.add(work)
        whole.add(pgqueue.group([work.job(), adding.job()], then=work.job()), after=[first])
        whole.on_end(work)
        whole.enqueue(conn)
        pgqueue.group([work.job() for _ in range(150)], then=work.job()).enqueue(conn)
        opened = pgqueue.open_group(conn, "opened", on_complete=work.job())
        opened.add(conn, work.job(), work.job())
        opened.close(conn)
        nodes = json.dumps([{"name": "a", "target": "shop:pay", "args": [0]}])
        conn.execute("select pgqueue.enqueue_workflow('by hand', %s)", [nodes])
    (workflows,) = staffed.conn.execute("select count(*) from pgqueue.workflows").fetchone() or (0,)
    assert workflows == 4


@pytest.mark.parametrize(
    "question",
    [
        "select args from pgqueue.jobs",
        "select id from pgqueue.jobs",
        "select * from pgqueue.jobs_shown",
        "select * from pgqueue.job",
        "select * from pgqueue.attempts",
        "select * from pgqueue.dead_jobs",
        "select * from pgqueue.results",
        "select * from pgqueue.workers",
        "select args from pgqueue.waiting",
        "select pgqueue.cancel('{id}')",
        "select pgqueue.retry('{id}')",
        "select pgqueue.claim_job(1, '{id}')",
        "select pgqueue.complete(1, '{id}', 1, null)",
        "select pgqueue.explain('{id}')",
        "select pgqueue.pause_queue('default')",
        "select pgqueue.schedule('s', 'shop:pay', cron => '* * * * *')",
        "select pgqueue.signal('{id}', 'go', '1')",
        "select pgqueue.give_rights('[]', '[]')",
        "update pgqueue.jobs set priority = 9",
        "delete from pgqueue.jobs",
        "truncate pgqueue.jobs",
        "insert into pgqueue.jobs (id, target, worker) values (pgqueue.uuid7(), 'shop:pay', 1)",
        "insert into pgqueue.jobs (id, target, claim) values (pgqueue.uuid7(), 'shop:pay', 1)",
        "insert into pgqueue.jobs (id, target, unique_key) values (pgqueue.uuid7(), 'shop:pay', 'k')",
        "insert into pgqueue.jobs (id, target) values (pgqueue.uuid7(), 'shop:pay') returning args",
        "insert into pgqueue.schedules (name, target, every) values ('s', 'shop:pay', 60)",
        "alter table pgqueue.jobs disable trigger all",
        "create function pgqueue.mine() returns int language sql return 1",
        "create table pgqueue.mine ()",
        "alter function pgqueue.enqueue_job owner to current_user",
    ],
)
def test_nothing_else_is(staffed: Staffed, theirs: Any, question: str) -> None:
    with staffed.connect("producer") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(question.replace("{id}", str(theirs)))


def test_who_knows_the_id_of_a_job_learns_nothing_of_it(staffed: Staffed, theirs: Any) -> None:
    with staffed.connect("producer") as conn:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            pgqueue.get_job(conn, theirs)
        # That there is a job of this id, and no more.
        assert not enqueue(conn, work, job_id=theirs).created
    (args,) = staffed.conn.execute("select args::text from pgqueue.jobs where id = %s", [theirs]).fetchone() or (None,)
    assert args == OTHERS


def test_what_a_producer_enqueues_is_looked_at_whichever_way_it_comes(staffed: Staffed) -> None:
    inner = '[{"on": "succeeded", "target": "no target", "args": []}]'
    after = f'[{{"on": "succeeded", "target": "shop:pay", "args": [], "follow_ups": {inner}}}]'
    ways = [
        "insert into pgqueue.jobs (id, target) values (pgqueue.uuid7(), 'no target')",
        "insert into pgqueue.jobs (id, target, args) values (pgqueue.uuid7(), 'shop:pay', '1')",
        "insert into pgqueue.jobs (id, target, labels) values (pgqueue.uuid7(), 'shop:pay', '[1]')",
        "insert into pgqueue.jobs (id, target, cost) values (pgqueue.uuid7(), 'shop:pay', -1)",
        "select pgqueue.enqueue_job(pgqueue.uuid7(), false, 'no target', '[]', null, null, null, null, null, null,"
        " null, null, null, null, null)",
        'select * from pgqueue.enqueue_new_jobs(\'[{"target": "no target"}]\')',
        f"""select * from pgqueue.enqueue_new_jobs('[{{"target": "shop:pay", "follow_ups": {inner}}}]')""",
        f"""select * from pgqueue.enqueue_new_jobs('[{{"target": "shop:pay", "follow_ups": {after}}}]')""",
    ]
    with staffed.connect("producer") as conn:
        for way in ways:
            with pytest.raises(psycopg.errors.CheckViolation) as refused:
                conn.execute(way)
            assert refused.value.diag.constraint_name == "jobs_checked", way
        with (
            pytest.raises(psycopg.errors.CheckViolation),
            conn.cursor().copy("copy pgqueue.jobs (id, target) from stdin") as copy,
        ):
            copy.write_row((uuid4(), "no target"))
        # As a change of a job that waits.
        replace = (
            "select * from pgqueue.enqueue_keyed(pgqueue.uuid7(), false, %s, '[]', null, null, null, null, null, null,"
            " null, 'swapped', null, null, null, false, null, 'replace', null, null, null)"
        )
        conn.execute(replace, ["shop:pay"])
        with pytest.raises(psycopg.errors.CheckViolation):
            conn.execute(replace, ["no target"])
        # As a member of a workflow that waits at a gate.
        workflow = uuid4()
        conn.execute("select pgqueue.begin_workflow(%s, 'w', null, null, null, null)", [workflow])
        rows = json.dumps({"gates": [{"gate": 1, "unmet": 1}], "jobs": [{"gate": 1, "node": 1, "target": "no target"}]})
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            conn.execute("select pgqueue.write_members(%s, %s)", [workflow, rows])
        assert refused.value.diag.constraint_name == "waiting_checked"


def test_who_works_on_jobs_is_not_looked_at(staffed: Staffed) -> None:
    for part in ("worker", "admin"):
        with staffed.connect(part) as conn, conn.transaction(force_rollback=True):
            conn.execute("insert into pgqueue.jobs (id, target) values (pgqueue.uuid7(), 'no target')")


def test_a_function_of_somebody_mightier_does_not_hide_who_enqueues(staffed: Staffed) -> None:
    staffed.conn.execute(
        "create function public.place_order(target text) returns uuid language sql security definer"
        " set search_path = pg_catalog, pg_temp as 'insert into pgqueue.jobs (id, target)"
        " values (pgqueue.uuid7(), target) returning id'"
    )
    with staffed.connect("producer") as conn:
        conn.execute("select public.place_order('shop:pay')")
        with pytest.raises(psycopg.errors.CheckViolation):
            conn.execute("select public.place_order('no target')")


def test_tables_and_functions_of_a_producer_stand_in_the_place_of_none_of_ours(staffed: Staffed) -> None:
    """The classic trap of functions that run as their owner: what is temporary is looked at first, unless said last."""
    staffed.conn.execute(f"grant temporary on database {staffed.conn.info.dbname} to public")
    before = count(staffed)
    with staffed.connect("producer") as conn:
        conn.execute("create temporary table jobs (id uuid, target text)")
        conn.execute("create temporary table limits (scope text, name text)")
        conn.execute(
            "create function pg_temp.coalesce_owner() returns text language sql as 'select current_user::text'"
        )
        conn.execute(
            "create function pg_temp.clock_timestamp() returns timestamptz language sql as 'select null::timestamptz'"
        )
        conn.execute("set search_path = pg_temp, public")
        enqueue(conn, work, unique_key=str(uuid4()))
        assert conn.execute("select count(*) from pg_temp.jobs").fetchone() == (0,)
    assert count(staffed) == before + 1


def test_a_login_that_acts_as_a_producer_is_one(staffed: Staffed) -> None:
    """By SET ROLE from a mightier session, as a pool does it."""
    with psycopg.connect(staffed.dsn, autocommit=True) as conn:
        conn.execute(f"set role {staffed.role('producer')}")
        enqueue(conn, work, unique_key=str(uuid4()))
        with pytest.raises(psycopg.errors.CheckViolation):
            conn.execute("insert into pgqueue.jobs (id, target) values (pgqueue.uuid7(), 'no target')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select args from pgqueue.jobs")
