"""Steps run once, whatever becomes of the attempts round them."""

from __future__ import annotations

from uuid import UUID

import pytest

import pgqueue
from pgqueue.testing import Ran, drain, run_job
from tests.durable import tasks
from tests.durable.conftest import Conn, done, lines
from tests.worker.running import KINDS, Desk, StartThreaded

TASKS = "tests.durable.tasks"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["three_steps", "three_steps_async"])
def test_a_step_that_was_taken_is_not_taken_again(
    start: StartThreaded, desk: Desk, log: str, kind: str, name: str
) -> None:
    start(executor=kind, app=[TASKS], concurrency=2)
    job = desk.send(f"{TASKS}:{name}", log, 2)
    assert desk.await_state(job).state == "succeeded"
    assert desk.outcomes(job) == ["failed", "failed", "succeeded"]
    assert sorted(lines(log)) == ["0", "1", "first"]
    assert done(desk.conn) == ["second"]
    assert pgqueue.result(desk.conn, job) == ["noted first", "wrote second", "noted 0", "noted 1"]
    names = [each.name for each in pgqueue.steps(desk.conn, job)]
    assert sorted(names) == sorted(
        ["first", "second", *(["loop", "loop#2"] if name == "three_steps" else ["branch 0", "branch 1"])]
    )


def test_results_are_as_the_annotation_says_in_the_first_attempt_and_in_later_ones(conn: Conn) -> None:
    alone = run_job(tasks.typed, conn=conn, attempt=2)
    job = tasks.typed.enqueue(conn)
    ran = to_its_end(conn, job.id)
    assert [each.outcome for each in ran] == ["failed", "succeeded"]
    assert ran[1].value == alone.value == "Account(number=7, owner='ann') {'a': [1, 2]}"


def test_a_memo_that_no_longer_fits_fails_the_attempt_and_names_the_step(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", app=[TASKS])
    job = desk.send(f"{TASKS}:changed")
    assert desk.await_state(job).state == "dead"
    assert (
        "StepUnreadable: what is remembered of step 'account' is not what its function returns now"
        in (desk.errors(job)[1])
    )


def test_an_effect_in_the_database_and_its_memo_are_both_there_or_neither(desk: Desk, start: StartThreaded) -> None:
    desk.conn.execute("alter table pgqueue.steps add constraint no_memo check (name <> 'second')")
    start(executor="thread", app=[TASKS])
    job = desk.send(f"{TASKS}:three_steps", "/dev/null", 0, max_attempts=1)
    assert desk.await_state(job).state == "dead"
    assert done(desk.conn) == []


def test_the_first_attempt_asks_for_no_memos_and_a_later_one_once(conn: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    real = pgqueue.store.durable.memos
    monkeypatch.setattr(pgqueue.store.durable, "memos", lambda job: asked.append(job) or real(job))
    job = tasks.three_steps.enqueue(conn, "/dev/null", 2)
    to_its_end(conn, job.id)
    assert asked == [job.id, job.id]


def test_branches_run_at_once_and_have_names_of_their_own(start: StartThreaded, desk: Desk, log: str) -> None:
    start(executor="thread", app=[TASKS])
    job = desk.send(f"{TASKS}:branches", log)
    assert desk.await_state(job).state == "succeeded"
    assert pgqueue.result(desk.conn, job) == [f"noted {n}" for n in range(4)]
    for name, said in (("same_name", "give each a name of its own"), ("waiting_branch", "cannot wait for sleep()")):
        job = desk.send(f"{TASKS}:{name}")
        assert desk.await_state(job).state == "dead"
        assert said in desk.errors(job)[0]


def test_what_a_step_comes_to_is_bounded(conn: Conn) -> None:
    (ran,) = [*_drained(conn, tasks.large.enqueue(conn))]
    assert "2.0 MB of JSON, and 1 MB is remembered" in str(ran.message)


def test_what_a_workflow_remembers_of_secrets_is_not_told_by_its_errors(conn: Conn) -> None:
    (ran,) = [*_drained(conn, tasks.secretive.enqueue(conn, token="hunter2"))]
    assert "hunter2" not in f"{ran.message}"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"transactional": True}, "annotate the step's first parameter as a connection"),
        ({"iterable": True}, "its steps are where it can be stopped"),
        ({"at_most_once": True}, "its steps run once"),
        ({"fallback": "shop:other"}, "fallback='human'"),
    ],
)
def test_options_that_a_step_has_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(pgqueue.OptionError, match=said):
        pgqueue.workflow(**options)  # type: ignore[call-overload]


def test_it_is_an_ordinary_function_when_it_is_called_with_a_context() -> None:
    class Context:
        def wait_for(self, event: str, **options: object) -> str:
            return f"{event}!"

    assert tasks.patient(Context()) == "approval!"  # type: ignore[arg-type]


def test_outside_of_a_worker_it_says_what_it_needs(conn: Conn) -> None:
    with pytest.raises(pgqueue.UsageError, match="needs a running job"):
        tasks.patient.function()
    assert "run_job(task, args, conn=conn)" in str(run_job(tasks.patient, raises=False).error)


def to_its_end(conn: Conn, job: UUID) -> list[Ran]:
    """All attempts at this job, one after the other."""
    ran: list[Ran] = []
    while not pgqueue.get_job(conn, job).state.ended:
        pgqueue.retry(conn, job)
        ran += drain(conn, raises=False)
    return ran


def _drained(conn: Conn, _made: object) -> list[object]:
    return drain(conn, raises=False)
