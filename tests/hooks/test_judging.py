"""What a task says of its own errors: expected ones alarm nobody, and retry_in says when to run again, or not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pgqueue.errors import OptionError
from pgqueue.retry import Backoff, Fixed
from pgqueue.tasks import Task, task
from tests.hooks import judging_tasks
from tests.worker.conftest import desk, spawn, start  # noqa: F401  # fixtures
from tests.worker.running import TWO_KINDS, Desk, StartProcess, StartThreaded

JUDGING = "tests.hooks.judging_tasks"


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_an_expected_error_is_one_line_in_the_log_and_a_cause_that_alarms_nobody(
    spawn: StartProcess,  # noqa: F811
    desk: Desk,  # noqa: F811
    kind: str,
) -> None:
    worker = spawn(executor=kind, app=[JUDGING])
    expected, odd = (judging_tasks.look_up.enqueue(desk.conn, name).id for name in ("one", "odd"))
    desk.await_all_ended()
    worker.process.terminate()
    worker.wait()
    for job, level in ((expected, "info"), (odd, None)):
        lines = [line for line in worker.lines if line.get("job") == str(job)]
        assert len(lines) == 2
        assert {line["level"] for line in lines} == ({level} if level else {"warning", "error"})
        assert "Traceback" not in str(lines)
    found = (
        "select c.muted_until = 'infinity', c.note from pgqueue.causes as c join pgqueue.dead_jobs as d using (cause)"
    )
    assert desk.conn.execute(f"{found} where d.id = %s", [expected]).fetchall() == [(True, "expected by its task")]
    assert desk.conn.execute(f"{found} where d.id = %s", [odd]).fetchall() == [(None, None)]
    # In the history it is what every other error is.
    assert [each.partition("\n")[0] for each in desk.errors(expected)] == [f"{JUDGING}.NotFound: no one"] * 2


@pytest.mark.parametrize(
    ("verdict", "end"),
    [
        ("bury", ("dead", "buried", 2)),
        ("cancel", ("cancelled", "not any more", 2)),
        ("policy", ("dead", "exhausted", 3)),
        ("nonsense", ("dead", "exhausted", 3)),
        ("raise", ("dead", "exhausted", 3)),
    ],
)
def test_retry_in_says_when_to_run_again_or_not_at_all(
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    verdict: str,
    end: tuple[str, str | None, int],
) -> None:
    start(executor="thread", app=[JUDGING])
    job = judging_tasks.ask.enqueue(desk.conn, verdict).id
    found = desk.await_state(job)
    assert (found.state, found.reason, found.attempt) == end
    if verdict in ("nonsense", "raise"):
        traceback = desk.one("select traceback from pgqueue.dead_jobs where id = %s", job)
        assert "its retry_in raised, too" in traceback


@pytest.mark.parametrize(
    ("policy", "lasting", "attempts"),
    [
        (Fixed(60, jitter=0), "5m", 6),
        (Fixed(60, jitter=0), 299, 5),
        (Backoff(first=1, factor=2, cap=100), timedelta(seconds=7), 4),
        (Fixed(60, jitter=0), "30s", 1),
    ],
)
def test_retry_for_allows_the_attempts_whose_waits_fit_into_it(policy: Any, lasting: Any, attempts: int) -> None:
    made: Task[..., Any] = task(retry=policy, retry_for=lasting)(judging_tasks.bare.function)
    assert made.terms.max_attempts == attempts
    fewer: Task[..., Any] = task(retry=policy, retry_for=lasting, max_attempts=1)(judging_tasks.bare.function)
    assert fewer.terms.max_attempts == 1


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"retry_for": "soon"}, "retry_for must read as 2d"),
        ({"retry_for": -1}, "more than 0 seconds"),
        ({"retry": Fixed(1), "retry_for": "30d"}, "more than 32,767 attempts"),
        ({"retry_for": "2d", "retry_in": judging_tasks.when}, "give one of them"),
        ({"retry_in": 5}, "retry_in must be a function"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(OptionError, match=fault):
        task(**options)(judging_tasks.bare.function)
