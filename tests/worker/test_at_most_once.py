"""Tasks that may run at most once, and errors that are the host's: when an attempt is followed by another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pgqueue.errors import OptionError
from pgqueue.outcome import Failed, Move, Settlement, error_report
from pgqueue.retry import RetryPolicy
from pgqueue.tasks import task
from pgqueue.worker.attempts.finishing import finish
from tests.worker.benches import KINDS, Bench, Make, wait_until
from tests.worker.claims import claim
from tests.worker.sample_tasks import nothing
from tests.worker.stubborn import once

STUBBORN = "tests.worker.stubborn"


def run_one(bench: Bench, name: str, *args: object, **changes: object) -> Settlement:
    (done,) = bench.run([claim("", *args, target=f"{STUBBORN}:{name}", **changes)])
    return done


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("how", "move", "reason"),
    [
        ("return", Move.SUCCEED, None),
        ("raise", Move.END, "not retried"),
        ("out of disk", Move.END, "not retried"),
        ("bury", Move.END, "buried"),
        ("retry", Move.RETRY, None),
        ("retry at the end of time", Move.END, "not retried"),
        ("snooze", Move.RELEASE, None),
    ],
)
def test_only_the_task_itself_gives_an_at_most_once_job_another_attempt(
    make: Make, kind: str, how: str, move: Move, reason: str | None
) -> None:
    done = run_one(make(kind, 1, apps=(STUBBORN,)), "once", how)
    assert (done.move, done.reason) == (move, reason)


class OddPolicy(RetryPolicy):
    def wait(self, failures: int) -> float:
        raise ValueError("of no use")


@task(at_most_once=True, retry=OddPolicy())
def once_oddly() -> None: ...


def test_an_at_most_once_job_that_asked_for_another_attempt_gets_it_although_its_policy_raises() -> None:
    asked = Failed(error_report("Retry", "again"), asked=True)
    done = finish(claim("", target=once_oddly.target), asked, once_oddly, 0.0).settlement
    assert (done.move, done.reason, done.error) == (Move.RETRY, None, "again")
    assert "of no use" in (done.traceback or "")
    failed = Failed(error_report("ValueError", "its own"))
    done = finish(claim("", target=once_oddly.target), failed, once_oddly, 0.0).settlement
    assert (done.move, done.reason, done.error) == (Move.END, "not retried", "its own")


def test_an_at_most_once_job_whose_child_dies_is_buried_as_lost(make: Make) -> None:
    done = run_one(make("process", 1, apps=(STUBBORN,)), "once", "exit")
    assert (done.move, done.outcome, done.reason) == (Move.END, "crashed", "lost")


@pytest.mark.parametrize("kind", KINDS)
def test_an_at_most_once_job_that_times_out_is_buried_as_lost(make: Make, kind: str) -> None:
    done = run_one(make(kind, 1, apps=(STUBBORN,)), "once", "hang", timeout=0.3)
    assert (done.move, done.outcome, done.reason) == (Move.END, "timeout", "lost")


@pytest.mark.parametrize("kind", KINDS)
def test_an_at_most_once_job_that_a_stop_ends_is_buried_as_lost(make: Make, kind: str, tmp_path: Path) -> None:
    bench = make(kind, 1, apps=(STUBBORN,))
    job = claim("", "hang", str(tmp_path / "log"), target=f"{STUBBORN}:once")
    bench.executor.submit([job])
    wait_until((tmp_path / "log").exists)
    assert bench.executor.stop(0.0) == []
    wait_until(lambda: bench.finished)
    assert [(each.claim.id, each.settlement.reason) for each in bench.finished] == [(job.id, "lost")]


@pytest.mark.parametrize("kind", KINDS)
def test_an_at_most_once_task_that_the_database_does_not_know_is_not_started(make: Make, kind: str) -> None:
    bench = make(kind, 1, apps=(STUBBORN,))
    assert f"{STUBBORN}:once" in bench.executor.at_most_once()
    bench.executor.declared(())
    done = run_one(bench, "once", "return")
    assert (done.move, done.started, done.delay) == (Move.RELEASE, False, 1.0)
    bench.executor.declared(bench.executor.at_most_once())
    assert run_one(bench, "once", "return").move is Move.SUCCEED
    assert run_one(bench, "return_at_the_limit", 0).move is Move.SUCCEED


def test_an_at_most_once_task_that_is_imported_late_is_told_of(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "late_app"
    package.mkdir()
    (package / "__init__.py").write_text("def bring():\n    import late_app.more\n")
    (package / "more.py").write_text("import pgqueue\n@pgqueue.task(at_most_once=True)\ndef job(): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    bench = make("process", 1, apps=("late_app",))
    bench.executor.declared(())
    assert bench.run([claim("", target="late_app:bring")])[0].move is Move.SUCCEED
    (done,) = bench.run([claim("", target="late_app.more:job")])
    assert (done.move, done.started) == (Move.RELEASE, False)
    assert bench.executor.at_most_once() == {"late_app.more:job"}
    bench.executor.declared(bench.executor.at_most_once())
    assert bench.run([claim("", target="late_app.more:job")])[0].move is Move.SUCCEED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["ENOSPC", "EMFILE", "memory", "paper"])
def test_an_error_of_the_host_gives_the_job_back_and_charges_nothing(make: Make, kind: str, how: str) -> None:
    done = run_one(make(kind, 1, apps=(STUBBORN,)), "blame_the_host", how)
    assert (done.move, done.outcome, done.avoid, done.started) == (Move.RELEASE, "released", True, True)
    assert 1 <= done.delay <= 5
    assert done.error_type in {"OSError", "MemoryError", f"{STUBBORN}.OutOfPaper"}


@pytest.mark.parametrize("how", ["missing", "ECONNREFUSED"])
def test_other_errors_are_the_jobs_own(make: Make, how: str) -> None:
    assert run_one(make("thread", 1, apps=(STUBBORN,)), "blame_the_host", how).move is Move.RETRY


def test_a_job_that_blames_every_host_is_charged_in_the_end(make: Make) -> None:
    done = run_one(make("thread", 1, apps=(STUBBORN,)), "blame_the_host", "memory", claim=30, attempt=1)
    assert (done.move, done.outcome) == (Move.RETRY, "failed")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"soft_timeout": 0}, "soft_timeout must be more than 0 seconds"),
        ({"soft_timeout": 5, "timeout": 5}, "soft_timeout must be less than timeout, got 5 and 5"),
        ({"on_timeout": "ignore"}, "on_timeout must be one of retry, bury, cancel, got 'ignore'"),
        ({"on_expiry": "retry"}, "on_expiry must be one of bury, cancel, got 'retry'"),
        ({"at_most_once": "yes"}, "at_most_once must be True or False, got 'yes'"),
        ({"infra_errors": ("OSError",)}, "infra_errors must be types of exceptions"),
    ],
)
def test_a_bound_out_of_its_range_is_refused(options: dict[str, object], fault: str) -> None:
    with pytest.raises(OptionError, match=fault):
        task(**options)(os.getcwd)  # type: ignore[call-overload]


def test_bounds_stay_with_the_task() -> None:
    assert once.using(priority=9).terms.at_most_once
    assert once.using(priority=9).bounds is once.bounds
    with pytest.raises(OptionError, match="at_most_once': the worker asks the task, not the job"):
        nothing.using(at_most_once=True)  # type: ignore[call-arg]
