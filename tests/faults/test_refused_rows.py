"""One row that the database refuses, whatever the reason, is set aside alone: it stops no worker and no other job."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pgqueue.embedded import Server
from pgqueue.events import Trouble
from pgqueue.job import NewJob
from pgqueue.migrate import migrate
from pgqueue.worker.claiming import narrowing, refusals
from pgqueue.worker.upkeep import watchdog
from tests.faults.asking import free_port, ready
from tests.faults.test_roles import roles
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, Desk, StartThreaded, ThreadedWorker

__all__ = ["roles"]

SETTLE, CLAIM = "insert on pgqueue.attempts", "update on pgqueue.jobs"


def refuse(desk: Desk, move: str, condition: str, code: str = "P0001") -> None:
    """Let the server refuse the rows of this move that fulfil a condition on `new`."""
    desk.conn.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin"
        f" if {condition} then raise exception 'not this one' using errcode = '{code}'; end if; return new; end $$"
    )
    desk.conn.execute(f"create trigger refuse before {move} for each row execute function public.refuse()")


def allow(desk: Desk, table: str) -> None:
    desk.conn.execute(f"drop trigger refuse on pgqueue.{table}")


def others_run(desk: Desk, count: int = 30) -> None:
    """Many other jobs, in the same queue, come to their end."""
    for job_id in desk.send_many([NewJob(f"{ERRANDS}:fail_until", [1]) for _ in range(count)]):
        desk.await_state(job_id, "succeeded", timeout=20)


def told(worker: ThreadedWorker, text: str) -> list[str]:
    return [trouble.error for trouble in worker.heard(Trouble) if text in trouble.error]


def test_p11_a_keyed_job_whose_claim_is_refused_holds_up_no_other(start: StartThreaded, desk: Desk) -> None:
    refuse(desk, CLAIM, "new.worker is not null and new.args::text = '[\"bad\"]'")
    bad = desk.send("work", "bad", limit_key="a")
    worker = start(executor="thread", concurrency=4, poll=0.2)
    for number in range(10):
        desk.await_state(desk.send("fail_until", 1, limit_key=f"k{number % 3}"), "succeeded", timeout=20)
    others_run(desk, 3)
    assert desk.job(bad).state == "ready"
    assert told(worker, "not this one")
    allow(desk, "jobs")
    desk.await_state(desk.send("fail_until", 1, limit_key="a"), "succeeded", timeout=20)


@pytest.mark.parametrize("code", ["P0001", "42501", "XX000", "23514", "22023", "57P01", "08006"])
def test_p11_an_outcome_that_is_refused_holds_up_no_other(start: StartThreaded, desk: Desk, code: str) -> None:
    refuse(desk, SETTLE, "new.target like '%:work'", code)
    bad = desk.send("work")
    worker = start(executor="thread", concurrency=4, poll=0.2)
    others_run(desk)
    assert desk.job(bad).state == "running"
    wait_until(lambda: told(worker, f"refuses the outcomes of 1 jobs, first {bad}"))
    allow(desk, "attempts")
    assert desk.await_state(bad).state == "succeeded"
    assert desk.outcomes(bad) == ["succeeded"]
    assert worker.stop() == 0
    assert desk.workers() == []


@pytest.mark.parametrize(
    ("target", "args", "options", "end"),
    [
        ("fail_until", [99], {"max_attempts": 1}, "dead"),
        ("fail_until", [2], {"max_attempts": 2}, "succeeded"),
        ("snooze_once", ["flag"], {}, "succeeded"),
        ("work", [], {"ttl": 0.001}, "dead"),
    ],
    ids=["burial", "retry", "snooze", "expiry"],
)
def test_p11_so_is_one_of_any_kind(
    start: StartThreaded,
    desk: Desk,
    tmp_path: object,
    target: str,
    args: list[object],
    options: dict[str, object],
    end: str,
) -> None:
    refuse(desk, SETTLE, "new.queue = 'bad' and new.outcome <> 'succeeded'")
    given = [f"{tmp_path}/{each}" if isinstance(each, str) else each for each in args]
    bad = desk.send(target, *given, queue="bad", **options)
    worker = start(executor="thread", concurrency=4, poll=0.2)
    others_run(desk)
    wait_until(lambda: told(worker, f"first {bad}"))
    assert desk.job(bad).state == "running"
    allow(desk, "attempts")
    assert desk.await_state(bad, timeout=20).state == end


def test_p11_a_foreign_key_to_a_job_holds_up_that_job_alone(start: StartThreaded, desk: Desk) -> None:
    desk.conn.execute("create table orders (job_id uuid references pgqueue.jobs (id))")
    bad = desk.send("work")
    desk.conn.execute("insert into orders values (%s)", [bad])
    worker = start(executor="thread", concurrency=4, poll=0.2)
    others_run(desk)
    wait_until(lambda: told(worker, "orders_job_id_fkey"))
    desk.conn.execute("delete from orders")
    assert desk.await_state(bad).state == "succeeded"
    assert worker.stop() == 0


@pytest.mark.parametrize("code", ["P0001", "XX001", "42501", "57P01", "08006", "25006"])
def test_p11_a_row_that_cannot_be_claimed_is_passed_by(start: StartThreaded, desk: Desk, code: str) -> None:
    refuse(desk, CLAIM, "new.target like '%:work'", code)
    bad = [desk.send("work", queue=queue) for queue in ("a", "b", "default")]
    worker = start(executor="thread", concurrency=4, poll=0.2)
    others_run(desk)
    assert [desk.job(each).state for each in bad] == ["ready"] * 3
    assert [desk.job(each).attempt for each in bad] == [0] * 3
    wait_until(lambda: told(worker, "refuses the claims of"))
    allow(desk, "jobs")
    for each in bad:
        assert desk.await_state(each).state == "succeeded"
    # And from then on jobs are claimed as ever.
    others_run(desk)
    assert worker.stop() == 0


@pytest.mark.faults
def test_p11_a_job_whose_arguments_are_lost_is_passed_by(
    private_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a broken disk: a page of the table where long arguments lie is gone."""
    monkeypatch.setattr(refusals, "GIVE_UP_AFTER", 2.0)
    monkeypatch.setattr(refusals, "LAST_PAUSE", 0.5)
    dsn = private_server.dsn(tcp=True)
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        conn.execute("alter table pgqueue.jobs alter column args set storage external")
        bad = desk.send("work", "x" * 20_000)
        path = desk.one("select pg_relation_filepath(reltoastrelid) from pg_class where oid = 'pgqueue.jobs'::regclass")
        conn.execute("checkpoint")
    private_server.stop("fast")
    # Whole pages of zeros are empty pages, and no error by themselves.
    page = private_server.data / path
    page.write_bytes(bytes(page.stat().st_size))
    private_server.start()
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        worker = ThreadedWorker(dsn, executor="thread", concurrency=4, poll=0.2)
        try:
            others_run(desk)
            wait_until(lambda: told(worker, f"first {bad}"))

            def is_dead() -> bool:
                others_run(desk, 1)
                return bool(desk.one("select exists (select from pgqueue.dead_jobs where id = %s)", bad))

            wait_until(is_dead, 30)
            assert "missing chunk" in str(desk.job(bad).last_error)
        finally:
            worker.stop()


def test_what_was_refused_for_long_is_buried_with_the_reason(
    start: StartThreaded, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "GIVE_UP_AFTER", 1.0)
    refuse(desk, CLAIM, "new.queue = 'unclaimable'")
    desk.conn.execute(
        "create function refuse_success() returns trigger language plpgsql as $$ begin"
        " if new.queue = 'unsettled' and new.outcome = 'succeeded' then raise exception 'no'; end if; return new;"
        " end $$"
    )
    desk.conn.execute(
        "create trigger refuse_success before insert on pgqueue.attempts for each row execute function refuse_success()"
    )
    bad = [desk.send("work", queue=queue) for queue in ("unclaimable", "unsettled")]
    start(executor="thread", concurrency=4, poll=0.2)
    others_run(desk)
    for job_id, error in zip(
        bad, ("its claim was refused for", "its outcome (succeeded) was refused for"), strict=True
    ):

        def is_dead(job_id: UUID = job_id) -> bool:
            others_run(desk, 1)
            return desk.job(job_id).state == "dead"

        wait_until(is_dead, 20)
        job = desk.job(job_id)
        assert job.reason == "unwritable"
        assert error in str(job.last_error)


def test_nothing_is_buried_while_everything_is_refused(
    start: StartThreaded, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "GIVE_UP_AFTER", 0.1)
    monkeypatch.setattr(refusals, "LAST_PAUSE", 0.2)
    refuse(desk, SETTLE, "new.outcome = 'succeeded'")
    made = desk.send_many([NewJob(f"{ERRANDS}:work") for _ in range(40)])
    worker = start(executor="thread", concurrency=4, poll=0.2)
    wait_until(lambda: told(worker, "not this one"))
    wait_until(lambda: len(worker.heard(Trouble)) > 1)
    started = desk.one("select count(*) from pgqueue.jobs where worker is not null")
    allow(desk, "attempts")
    desk.await_all_ended()
    desk.check_books(made, succeeded=40)
    # Nor does a worker go on with jobs whose ends it cannot write.
    assert started < 40


@pytest.mark.parametrize("jobs", [1, 20])
def test_a_worker_whose_claims_are_all_refused_is_not_ready_and_retires(
    start: StartThreaded, desk: Desk, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    """Alive and idle with work due is impossible, whatever the error."""
    monkeypatch.setattr(watchdog, "RETIRE_AFTER", 2.0)
    port = free_port()
    worker = start(executor="thread", poll=0.2, lease=3, queues=["default"], health_port=port)
    desk.await_idle()
    wait_until(lambda: ready(port)[0] == 200)
    desk.conn.execute(
        "create function refuse() returns trigger language plpgsql"
        " as $$ begin raise exception 'read the manual'; end $$"
    )
    desk.conn.execute("create trigger refuse before update on pgqueue.jobs execute function refuse()")
    desk.send_many([NewJob(f"{ERRANDS}:work") for _ in range(jobs)])
    wait_until(lambda: ready(port)[0] == 503)
    assert "its claims, or the outcomes of jobs, are refused: read the manual" in ready(port)[1]
    assert worker.join() == 75
    assert told(worker, "read the manual")


@pytest.mark.parametrize(
    "right", ["update on pgqueue.jobs", "insert on pgqueue.attempts", "select on pgqueue.jobs", "execute on function"]
)
def test_a_right_that_was_taken_away_is_said_waited_for_and_charged_to_nobody(
    desk: Desk, roles: dict[str, str], monkeypatch: pytest.MonkeyPatch, right: str
) -> None:
    dsn = roles["shop_worker"]
    role = conninfo_to_dict(dsn)["user"]
    if right == "execute on function":
        # It goes to everybody when a function is made.
        newest = "where proname = 'step' order by pronargs desc limit 1"
        signature = desk.one(f"select 'function ' || oid::regprocedure from pg_proc {newest}")
        right = f"execute on {signature}"
    port = free_port()
    worker = ThreadedWorker(dsn, executor="thread", poll=0.2, queues=["default"], health_port=port)
    try:
        desk.await_idle()
        desk.conn.execute(f"revoke {right} from {role}, public")
        made = desk.send_many([NewJob(f"{ERRANDS}:work") for _ in range(20)])
        wait_until(lambda: ready(port)[0] == 503)
        wait_until(lambda: told(worker, "permission denied"))
        desk.conn.execute(f"grant {right} to {role}")
        desk.await_all_ended()
        wait_until(lambda: ready(port)[0] == 200)
    finally:
        worker.stop()
    desk.check_books(made, succeeded=20)
    assert desk.one("select max(attempt) from pgqueue.attempts") == 1


@pytest.mark.faults
@pytest.mark.parametrize("code", ["40001", "58030", "57014", "53200"])
def test_p11_a_row_refused_as_if_in_passing_is_found_in_the_end(
    start: StartThreaded, desk: Desk, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(narrowing, "PATIENCE", 1.0)
    refuse(desk, SETTLE, "new.target like '%:work'", code)
    bad = desk.send("work")
    start(executor="thread", concurrency=4, poll=0.2)
    others_run(desk)
    allow(desk, "attempts")
    assert desk.await_state(bad, timeout=20).state == "succeeded"


PASSING = ("54000", "XX000", "22023", "54001")


@pytest.mark.parametrize("code", PASSING)
def test_a_passing_error_never_costs_a_result(start: StartThreaded, desk: Desk, code: str) -> None:
    """As `too many notifications in the NOTIFY queue`: the next attempt writes the success, with its result."""
    desk.conn.execute("create sequence refused")
    refuse(desk, SETTLE, "nextval('public.refused') <= 4", code)
    made = desk.send("fail_until", 1, store_result=True)
    start(executor="thread", poll=0.2)
    assert desk.await_state(made, timeout=20).state == "succeeded"
    assert desk.one("select result::text from pgqueue.results where job_id = %s", made) == "1"
    assert desk.outcomes(made) == ["succeeded"]
