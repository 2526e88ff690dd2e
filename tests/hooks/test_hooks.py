"""Hooks are told what became of attempts once that is settled, change nothing, and hold up nobody."""

from __future__ import annotations

import signal
from collections import Counter
from typing import Any

import pytest

from pgqueue import hooks
from pgqueue.errors import OptionError
from pgqueue.events import Trouble
from pgqueue.tasks import Task, task
from pgqueue.worker.hooks import calling
from pgqueue.worker.hooks.teller import MOST_WAITING
from tests.factories import claim, enlist, expire
from tests.hooks import tasks
from tests.waiting import wait_until
from tests.worker.conftest import desk, spawn, start  # noqa: F401  # fixtures
from tests.worker.running import KINDS, TWO_KINDS, Desk, StartProcess, StartThreaded

HOOKED = "tests.hooks.tasks"


@pytest.fixture
def told(desk: Desk, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: F811
    """What hooks have told of a job: `told(job)` counts by hook; `told(job, "on_dead")` is what that said."""
    monkeypatch.setenv("TOLD_DSN", dsn)
    desk.conn.execute("create table told (hook text, job text, said text, pid int)")

    def told(job: Any, hook: str | None = None) -> Any:
        if hook is None:
            return Counter(desk.values("select hook from told where job = %s", str(job)))
        return desk.values("select said from told where job = %s and hook = %s", str(job), hook)

    return told


@pytest.mark.parametrize("kind", KINDS)
def test_each_hook_of_a_task_is_told_once_of_what_it_is_for(
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    told: Any,
    kind: str,
) -> None:
    worker = start(executor=kind, app=[HOOKED])
    succeeding, failing, cancelled, hanging, brief = (
        each.enqueue(desk.conn).id
        for each in (tasks.succeed, tasks.fail, tasks.give_up, tasks.hang, tasks.fail_briefly)
    )
    desk.await_all_ended()
    worker.stop()
    assert told(succeeding) == {"on_start": 1, "on_success": 1}
    assert told(failing) == {"on_start": 2, "on_error": 2, "on_retry": 1, "on_dead": 1}
    assert told(failing, "on_dead") == ["failed no paper"]
    assert told(cancelled) == {"on_start": 1, "on_cancel": 1}
    assert told(hanging) == {"on_start": 1, "on_timeout": 1, "on_dead": 1}
    assert told(brief) == {"on_dead": 1, "async": 2}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_hook_raises_is_said_and_changes_nothing(
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    told: Any,
    kind: str,
) -> None:
    worker = start(executor=kind, app=[HOOKED])
    job = tasks.succeed_under_bad_hooks.enqueue(desk.conn).id
    desk.await_all_ended()
    worker.stop()
    assert desk.outcomes(job) == ["succeeded"]
    # The one behind them is called all the same.
    assert told(job) == {"on_success": 1}
    faults = " ".join(event.error for event in worker.heard(Trouble))
    assert "raise_it: LookupError: the hook's own" in faults
    assert "exit_it: SystemExit: 3" in faults


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_that_hangs_holds_up_no_claim_and_no_other_hook_for_longer_than_its_time(
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    told: Any,
    kind: str,
) -> None:
    worker = start(executor=kind, app=[HOOKED])
    tasks.succeed_under_a_hanging_hook.enqueue(desk.conn)
    later = [tasks.succeed.enqueue(desk.conn).id for _ in range(20)]
    desk.await_all_ended()
    wait_until(lambda: all(told(job)["on_success"] for job in later), 20, "the hooks behind it")
    worker.stop()
    assert any("longer than 5 s" in event.error for event in worker.heard(Trouble))


def test_a_hook_that_ends_its_process_ends_no_job(
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    told: Any,
) -> None:
    worker = start(executor="process", app=[HOOKED], concurrency=1)
    tasks.succeed_under_a_deadly_hook.enqueue(desk.conn)
    wait_until(lambda: worker.heard(Trouble), 20, "the fault")
    job = tasks.succeed.enqueue(desk.conn).id
    wait_until(lambda: told(job)["on_success"], 20, "the next hook")
    worker.stop()
    assert "its process has ended" in worker.heard(Trouble)[0].error


def test_of_more_calls_than_may_wait_the_number_is_said(
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    told: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calling, "LONGEST", 0.5)
    worker = start(executor="thread", app=[HOOKED])
    many = [tasks.succeed_under_a_hanging_hook.job() for _ in range(MOST_WAITING + 100)]
    desk.send_many(many)
    desk.await_all_ended()
    worker.stop()
    assert any("calls of hooks were dropped" in event.error for event in worker.heard(Trouble))


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_hooks_for_every_task_and_for_the_worker_are_told(
    spawn: StartProcess,  # noqa: F811
    desk: Desk,  # noqa: F811
    told: Any,
    kind: str,
) -> None:
    worker = spawn(executor=kind, app=["tests.hooks.globally"], concurrency=1)
    job = desk.send("tests.hooks.globally:plain")
    desk.await_all_ended()
    (number,) = desk.workers()
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert told(job) == {"on_success": 1}
    assert told(number) == {"on_worker_start": 1, "on_worker_stop": 1}
    assert told(number, "on_worker_start") == [kind]
    pids = set(desk.values("select pid from told"))
    # Under `process` they run beside the jobs, and never in the worker itself.
    assert (worker.pid in pids) is (kind != "process")


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_without_hooks_there_is_no_thread_and_no_process_for_them(
    spawn: StartProcess,  # noqa: F811
    desk: Desk,  # noqa: F811
    kind: str,
) -> None:
    worker = spawn(executor=kind, app=["tests.worker.errands"], concurrency=2)
    desk.send("work")
    desk.await_all_ended()
    assert len(worker.children) == (2 if kind == "process" else 0)


@pytest.mark.parametrize("hook", [3, lambda: None, [lambda told: None, 3]])
def test_what_cannot_be_called_with_an_event_is_no_hook(hook: Any) -> None:
    with pytest.raises(OptionError, match="on_success must be a function that takes one event"):
        task(on_success=hook)(tasks.plain.function)


def test_an_option_that_says_a_word_too_says_either() -> None:
    def tell(told: object) -> None:
        return None

    both: Task[..., Any] = task(on_timeout="bury", hooks={"on_timeout": tell})(tasks.plain.function)
    assert both.bounds.on_timeout == "bury"
    assert both.hooks == {"on_timeout": (tell,)}
    hook_alone: Task[..., Any] = task(on_timeout=tell, on_dead=tell)(tasks.plain.function)
    assert hook_alone.bounds.on_timeout == "retry"
    assert set(hook_alone.hooks) == {"on_timeout", "on_dead"}
    assert set(hook_alone.using(priority=1).hooks) == {"on_timeout", "on_dead"}
    task()(tasks.plain.function)
    with pytest.raises(OptionError, match="hooks takes on_start"):
        task(hooks={"on_funny": tell})(tasks.plain.function)
    assert hooks.registered("on_dead") == ()


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_a_job_that_died_with_its_worker_is_told_of_by_the_worker_that_finds_out(
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    told: Any,
    kind: str,
) -> None:
    dying = tasks.fail.using(max_attempts=1).enqueue(desk.conn).id
    retried = tasks.fail.using(priority=4).enqueue(desk.conn).id
    vanished = enlist(desk.conn, concurrency=2)
    assert [each.id for each in claim(desk.conn, vanished, 2)] == [dying, retried]
    start(executor=kind, app=[HOOKED])
    # By then it knows which hooks there are.
    other = tasks.succeed.enqueue(desk.conn).id
    wait_until(lambda: told(other, "on_success"), 30)
    expire(desk.conn, vanished)
    wait_until(lambda: told(dying, "on_dead"), 30)
    assert told(dying) == {"on_dead": 1}
    assert told(dying, "on_dead") == [f"lost worker {vanished} vanished: its lease expired while it had this job"]
    # What runs again is no news of theirs.
    desk.await_all_ended()
    assert told(retried, "on_stalled") == []
