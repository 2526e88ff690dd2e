"""A worker from end to end, under each kind of executor. One worker a kind serves all of these tests, good and bad."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from pgqueue.errors import AppError, DatabaseUnreachable, OptionError
from pgqueue.events import AttemptsFinished, AttemptsLate, Trouble
from pgqueue.job import NewJob
from pgqueue.outcome import Reason
from pgqueue.store import execute, jobs, reading
from pgqueue.worker import Worker
from tests.postgres import Databases
from tests.waiting import wait_until
from tests.worker import sample_tasks
from tests.worker.running import ERRANDS, KINDS, Desk, StartThreaded, ThreadedWorker

SAMPLES = sample_tasks.__name__


@dataclass(frozen=True)
class Station:
    """A worker, and the desk that sends it jobs."""

    desk: Desk
    worker: ThreadedWorker
    dsn: str

    def run(self, target: str, *args: object, **options: object) -> UUID:
        """Send a job and wait for its end."""
        job_id = self.desk.send(target if ":" in target else f"{SAMPLES}:{target}", *args, **options)
        self.desk.await_state(job_id)
        return job_id

    def result(self, target: str, *args: object, **options: object) -> object:
        """What a job returns."""
        job_id = self.run(target, *args, store_result=True, **options)
        return self.desk.one("select result from pgqueue.results where job_id = %s", job_id)


@pytest.fixture(scope="module", params=KINDS)
def station(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Station]:
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        desk.make_effects()
        worker = ThreadedWorker(dsn, executor=request.param, app=[ERRANDS, SAMPLES])
        yield Station(desk, worker, dsn)
        assert worker.stop() == 0
        assert not worker.heard(Trouble)
        assert desk.workers() == []
    databases.drop(name)


@pytest.fixture
def effects(station: Station) -> Desk:
    """The desk, with tables of effects that are empty."""
    station.desk.conn.execute("truncate effects, unique_effects")
    return station.desk


@pytest.mark.parametrize("name", ["give", "give_async", "plain"])
def test_every_kind_of_function_runs_and_its_result_is_kept(station: Station, name: str) -> None:
    assert station.result(name, {"a": [1, None, "é"]}) == {"a": [1, None, "é"]}


@pytest.mark.parametrize("name", ["fail_until", "fail_until_async"])
def test_a_failed_attempt_is_retried_until_one_succeeds(station: Station, name: str) -> None:
    job_id = station.run(f"{ERRANDS}:{name}", 3)
    assert station.desk.outcomes(job_id) == ["failed", "failed", "succeeded"]
    assert station.desk.job(job_id).attempt == 3


@pytest.mark.parametrize("name", ["fail_until", "fail_until_async"])
def test_a_job_whose_attempts_are_used_up_is_dead_with_its_traceback(station: Station, name: str) -> None:
    job_id = station.run(f"{ERRANDS}:{name}", 9, max_attempts=2)
    job = station.desk.job(job_id)
    assert (job.state, job.reason, job.last_error) == ("dead", Reason.EXHAUSTED, "ValueError: attempt 2 fails")
    traceback = execute(station.desk.conn, reading.attempts(job_id))[-1].traceback
    assert traceback is not None
    assert traceback.splitlines()[1].endswith(f", in {name}")


@pytest.mark.parametrize(
    ("kind", "state", "attempt", "outcome"),
    [
        ("retry", "retrying", 1, "failed"),
        ("snooze", "scheduled", 0, "released"),
        ("bury", "dead", 1, "failed"),
        ("cancel", "cancelled", 1, "cancelled"),
    ],
)
def test_a_task_chooses_its_own_outcome(station: Station, kind: str, state: str, attempt: int, outcome: str) -> None:
    job_id = station.desk.send(f"{SAMPLES}:signal", kind)
    job = station.desk.await_state(job_id, state)
    assert job.attempt == attempt
    assert station.desk.outcomes(job_id) == [outcome]
    if kind == "snooze":
        assert job.last_error is None
        assert station.desk.errors(job_id)[0].startswith("None: snoozed for ")


@pytest.mark.parametrize("name", ["insert", "insert_async"])
def test_a_transactional_job_commits_its_effects_with_its_success(station: Station, effects: Desk, name: str) -> None:
    ids = [effects.send(f"{SAMPLES}:{name}", value) for value in range(20)]
    for job_id in ids:
        assert effects.await_state(job_id).state == "succeeded"
    effects.check_effects(range(20))


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("raise", "ValueError: no"),
        ("raw commit", "TransactionEnded"),
        ("commit and begin", "TransactionEnded"),
        ("rollback", "TransactionEnded"),
        ("swallow", "TransactionEnded"),
        ("deferred", "UniqueViolation"),
        ("close", "TransactionEnded"),
        ("complete", "UsageError"),
    ],
)
def test_a_transaction_that_the_task_broke_never_counts_as_success(
    station: Station, effects: Desk, then: str, told: str
) -> None:
    job_id = station.run("insert_and", then, max_attempts=1)
    assert effects.job(job_id).state == "dead"
    assert told in effects.errors(job_id)[0]
    # What the task committed by itself is there; nothing else is.
    assert effects.values("select value from effects") == ([1] if "commit" in then else [])
    assert station.result("insert", 7) == 7


def test_a_transaction_whose_session_the_server_ended_is_no_fault_of_the_job(station: Station, effects: Desk) -> None:
    job_id = effects.send(f"{SAMPLES}:insert_and", "die", max_attempts=1)
    wait_until(lambda: effects.outcomes(job_id))
    assert (effects.job(job_id).state, effects.outcomes(job_id)) == ("scheduled", ["released"])
    assert "AdminShutdown" in effects.errors(job_id)[0]
    execute(effects.conn, jobs.cancel(job_id))
    assert effects.values("select value from effects") == []


@pytest.mark.parametrize("then", ["return", "raise"])
def test_a_job_enqueued_by_a_transactional_job_exists_only_if_that_succeeded(station: Station, then: str) -> None:
    station.desk.conn.execute("delete from pgqueue.attempts")
    station.run(f"{ERRANDS}:enqueue_and", then, max_attempts=1)
    query = "select count(*) from pgqueue.job where queue = 'born'"
    assert station.desk.one(query) == (1 if then == "return" else 0)
    wait_until(lambda: station.desk.one("select count(*) = 0 from pgqueue.jobs where queue = 'born'"))


def test_no_job_finds_the_session_of_another(station: Station) -> None:
    for _ in range(2):
        station.run("soil_session")
        clean = station.result("inspect_session")
        assert isinstance(clean, list)
        assert clean[:7] == [True, '"$user", public', True, 0, 0, 0, "read committed"]


@pytest.mark.parametrize(("then", "state", "written"), [("", "succeeded", [1]), ("raise", "succeeded", [1])])
def test_a_job_may_complete_in_a_transaction_of_its_own(
    station: Station, effects: Desk, then: str, state: str, written: list[int]
) -> None:
    job_id = station.run("complete_in_own_transaction", station.dsn, then)
    assert effects.job(job_id).state == state
    effects.check_effects(written)


def test_a_completion_that_was_rolled_back_does_not_end_the_job_twice(station: Station, effects: Desk) -> None:
    job_id = station.run("complete_in_own_transaction", station.dsn, "rollback")
    # The task returned: the attempt succeeded, by the worker's own settlement.
    assert effects.outcomes(job_id) == ["succeeded"]
    effects.check_effects([])


def test_a_late_completion_changes_nothing_and_says_so(station: Station, effects: Desk, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    job_id = effects.send("complete_late", station.dsn, str(flag))
    wait_until(flag.exists)
    # As the reaper would: the attempt is lost, and the job waits again, for another time.
    effects.conn.execute(
        "with held as (update pgqueue.jobs as job set worker = null, started_at = null, run_at = now() + '1 day'"
        " from pgqueue.jobs as before where job.id = %s and before.id = job.id returning job.*, before.worker as who)"
        " insert into pgqueue.attempts (job_id, claim, attempt, worker, outcome, queue, target)"
        " select id, claim, attempt, who, 'lost', queue, target from held",
        [job_id],
    )
    flag.unlink()
    wait_until(lambda: effects.outcomes(job_id) == ["late"])
    assert effects.job(job_id).state == "retrying"
    wait_until(lambda: job_id in [late.claim.id for told in station.worker.heard(AttemptsLate) for late in told.batch])
    effects.check_effects([])


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("os:system", "refused"),
        (f"{SAMPLES}:os.system", "refused"),
        (f"{SAMPLES}:suppress", "refused"),
        (f"{ERRANDS}:NotATask", "refused"),
        (f"{ERRANDS}:__builtins__", "refused"),
        (f"{ERRANDS}:work.function", "refused"),
    ],
)
def test_what_may_not_run_never_runs(station: Station, target: str, reason: str) -> None:
    job_id = station.desk.one("select pgqueue.enqueue(%s, '[\"true\"]', max_attempts => 1)", target)
    job = station.desk.await_state(job_id)
    assert (job.state, job.reason) == ("dead", reason)
    assert job.last_error is not None


def test_an_unregistered_target_goes_back_for_a_worker_that_knows_it(station: Station) -> None:
    job_id = station.desk.one("select pgqueue.enqueue('nowhere.at_all:gone')")
    wait_until(lambda: station.desk.one("select count(*) from pgqueue.parked where job_id = %s", job_id) == 1)
    assert station.desk.job(job_id).attempt == 0


@pytest.mark.parametrize(
    "args",
    ["[" * 5000 + "]" * 5000, f"[{'9' * 5000}]", '"just a text"', "5", "null", "[1, 2, 3, 4, 5]", '{"no": "such"}'],
    ids=["nested 5000 deep", "5000 digits", "text", "number", "null", "too many", "wrong name"],
)
def test_a_poisonous_row_hurts_itself_alone(station: Station, args: str) -> None:
    before = station.desk.send(f"{SAMPLES}:give", 1)
    bad = station.desk.one(
        "insert into pgqueue.jobs (id, target, args, max_attempts) values (pgqueue.uuid7(), %s, %s, 1) returning id",
        f"{SAMPLES}:give",
        args,
    )
    after = station.run("give", 1)
    assert station.desk.await_state(before).state == "succeeded"
    assert station.desk.job(after).state == "succeeded"
    assert station.desk.await_state(bad).state == "dead"


def test_a_result_that_the_database_refuses_hurts_its_own_job_alone(station: Station) -> None:
    station.desk.conn.execute("alter table pgqueue.results add check (result::text <> '\"unwanted\"')")
    new = [NewJob(f"{SAMPLES}:give", [text], store_result=True) for text in ("a", "unwanted", "b")]
    states = [station.desk.await_state(job_id).state for job_id in station.desk.send_many(new)]
    assert states == ["succeeded", "dead", "succeeded"]


def test_every_attempt_is_told_once(station: Station) -> None:
    job_id = station.run("give", 1)

    def told() -> list[str]:
        batches = [event.batch for event in station.worker.heard(AttemptsFinished)]
        return [done.settlement.outcome for batch in batches for done in batch if done.claim.id == job_id]

    # The end is in the database a moment before the worker has read the answer.
    wait_until(told)
    assert told() == ["succeeded"]


# How a worker begins.


@pytest.mark.parametrize("kind", KINDS)
def test_an_app_that_cannot_be_imported_ends_the_start(dsn: str, desk: Desk, kind: str) -> None:
    with pytest.raises(AppError, match="nowhere_at_all"):
        Worker(dsn, executor=kind, app=["nowhere_at_all"], observers=[]).run()  # type: ignore[arg-type]
    assert desk.workers() == []


def test_a_database_that_is_not_there_ends_the_start() -> None:
    with pytest.raises(DatabaseUnreachable):
        Worker("host=127.0.0.1 port=1 connect_timeout=2", executor="thread", observers=[]).run()


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": 0},
        {"poll": 0},
        {"lease": 0.5},
        {"shutdown_timeout": -1},
        {"executor": "fork"},
        {"queues": "mail"},
        {"queues": []},
        {"app": "shop.tasks"},
    ],
)
def test_options_out_of_range_are_refused(dsn: str, options: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        Worker(dsn, **options)  # type: ignore[arg-type]


def test_importing_for_longer_than_the_lease_does_not_lose_it(
    start: StartThreaded, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_app.py").write_text("import time; time.sleep(2.5)\ndef job(): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    worker = start(executor="process", concurrency=1, app=["slow_app"], lease=2)
    job_id = desk.send("slow_app:job")
    assert desk.await_state(job_id, timeout=15).state == "succeeded"
    assert worker.stop() == 0


def test_the_worker_row_says_what_runs_where(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", queues=["mail", "web"], concurrency=3)
    wait_until(desk.workers)
    row = desk.conn.execute("select queues, executor, concurrency from pgqueue.workers").fetchone()
    assert row == (["mail", "web"], "thread", 3)


def test_labels_and_json_arrive_as_they_were_sent(station: Station) -> None:
    described = station.result("describe", labels={"tenant": "ä"}, queue="other")
    assert isinstance(described, dict)
    assert (described["labels"], described["queue"]) == ({"tenant": "ä"}, "other")
    assert json.dumps(described)
