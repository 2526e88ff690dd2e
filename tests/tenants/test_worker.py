"""A worker runs the jobs of all tenants, each as its own."""

from __future__ import annotations

import pytest

from pgqueue.errors import SchemaError
from tests.tenants import tasks
from tests.tenants.conftest import Conn, Town
from tests.waiting import wait_until
from tests.worker.running import TWO_KINDS, ThreadedWorker


def drain(town: Town, executor: str = "thread") -> None:
    worker = ThreadedWorker(town.dsn_of("worker"), app=["tests.tenants.tasks"], executor=executor, burst=True)
    assert worker.join() == 0


def results(conn: Conn) -> list[object]:
    return [row[0] for row in conn.execute("select result from pgqueue.results order by job_id")]


@pytest.mark.parametrize("executor", TWO_KINDS)
def test_a_job_knows_its_tenant_and_what_its_transaction_brings_is_of_the_same(
    acme: Conn, globex: Conn, worker: Conn, town: Town, executor: str
) -> None:
    for conn in (acme, globex):
        tasks.brings.enqueue(conn, 2)
    tasks.whose.enqueue(worker)
    drain(town, executor)
    for conn, name in ((acme, "acme"), (globex, "globex")):
        # Keys that both have said are two.
        assert results(conn) == [[name, name], name, name]
        assert len(conn.execute("select from pgqueue.job").fetchall()) == 3
    assert town.owner.execute("select count(*) from pgqueue.job where tenant is null").fetchone() == (1,)


def test_a_task_with_a_role_of_its_own_finds_the_rows_of_its_tenant_alone(acme: Conn, globex: Conn, town: Town) -> None:
    code = town.roles["shared"]
    town.owner.execute(f"grant {code} to {town.roles['worker']}")
    try:
        for conn in (acme, globex):
            tasks.looks_round.enqueue(conn)
        worker = ThreadedWorker(
            town.dsn_of("worker"), app=["tests.tenants.tasks"], executor="thread", burst=True, job_role=code
        )
        assert worker.join() == 0
    finally:
        town.owner.execute(f"revoke {code} from {town.roles['worker']}")
    assert results(acme) == [["acme"], "acme"]
    assert results(globex) == [["globex"], "globex"]


def test_coroutines_are_of_their_tenant(acme: Conn, globex: Conn, town: Town) -> None:
    tasks.whose_async.enqueue(acme)
    tasks.brings_async.enqueue(globex)
    drain(town, "async")
    assert (results(acme), results(globex)) == (["acme"], ["globex"])


def test_what_is_done_once_is_done_once_for_each_tenant(acme: Conn, globex: Conn, town: Town) -> None:
    for conn in (acme, acme, globex):
        tasks.once_each.enqueue(conn)
    drain(town)
    assert sorted(map(bool, results(acme))) == [False, True]
    assert results(globex) == [True]


def test_a_running_worker_notices_that_tenants_were_switched_on(town: Town, acme: Conn) -> None:
    town.owner.execute("select pgqueue.set_tenants(false)")
    worker = ThreadedWorker(town.dsn_of("worker"), app=["tests.tenants.tasks"], executor="thread", poll=0.1)
    try:
        town.owner.execute("select pgqueue.set_tenants(true, %s)", [[town.roles["worker"]]])
        wait_until(lambda: (tasks.whose.enqueue(acme) and False) or "acme" in results(acme))
    finally:
        worker.stop()


@pytest.mark.parametrize("kind", ["acme", "shared", "stranger"])
def test_a_worker_that_would_be_blind_to_some_jobs_does_not_begin(town: Town, kind: str) -> None:
    with pytest.raises(SchemaError, match=r"does not see the jobs of all tenants.*--sees-all"):
        ThreadedWorker(town.dsn_of(kind), app=["tests.tenants.tasks"], executor="thread").join()


def test_a_run_by_hand_is_of_the_jobs_tenant(
    acme: Conn, town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pgqueue.cli.app import main

    job = tasks.whose.enqueue(acme)
    with pytest.raises(SystemExit) as end:
        main(["--dsn", town.dsn_of("worker"), "jobs", "run", str(job.id), "-A", "tests.tenants.tasks"])
    assert end.value.code in (0, None), capsys.readouterr()
    assert results(acme) == ["acme"]
