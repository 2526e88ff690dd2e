"""Jobs that return what cannot be kept, or too much of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgqueue.store import execute, reading
from tests.hostile.arena import APPS, Arena
from tests.worker.running import Desk, StartProcess

MB = 1 << 20


@pytest.mark.parametrize(
    "name",
    [
        "a lock",
        "a generator",
        "a lambda",
        "NaN",
        "infinity",
        "a surrogate",
        "a circle",
        "5,000 digits",
        "5,000 levels",
    ],
)
def test_a_result_that_is_no_json_fails_for_good(arena: Arena, name: str) -> None:
    job = arena.meet("values:give", name, max_attempts=5)
    assert (job.state, job.reason) == ("dead", "not retried")
    assert arena.end_of(job) == ("failed", "Unstorable")


def test_a_result_that_exits_when_it_is_looked_into_fails(arena: Arena) -> None:
    assert arena.end_of(arena.meet("values:give", "a trap"))[0] == "failed"


def test_a_result_with_a_nul_is_kept_as_it_is(arena: Arena) -> None:
    job = arena.meet("values:give", "NUL")
    assert job.state == "succeeded"
    assert execute(arena.desk.conn, reading.result(job.id))[1] == {"text": "a\0b"}


def test_a_result_of_types_that_the_worker_has_not_got_arrives_as_plain_json(arena: Arena) -> None:
    job = arena.meet("values:give", "own types")
    assert execute(arena.desk.conn, reading.result(job.id))[1] == [0.5, "text"]


@pytest.mark.faults
def test_100_mb_in_and_100_mb_out_cost_the_worker_a_few_times_as_much_and_give_it_back(
    spawn: StartProcess, desk: Desk
) -> None:
    worker = spawn(app=APPS, concurrency=2)
    innocents = [desk.send("work") for _ in range(5)]
    enlarged = desk.send("tests.hostile.nasty.values:enlarge", 100, store_result=True, max_attempts=1)
    counted = desk.send(
        "tests.hostile.nasty.values:length", "x" * (100 * MB), store_result=True, max_attempts=1, max_args=101 * MB
    )
    innocents += [desk.send("work") for _ in range(5)]
    # Not the jobs themselves: each look would bring 100 MB.
    desk.await_all_ended(120)
    ends = desk.values("select state from pgqueue.job where id = any (%s)", [enlarged, counted, *innocents])
    assert set(ends) == {"succeeded"}
    assert desk.one("select max(attempt) from pgqueue.attempts") == 1
    assert execute(desk.conn, reading.result(counted))[1] == 100 * MB
    assert _memory(worker.pid, "VmHWM") < 1200 * MB


def _memory(pid: int, field: str) -> int:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(f"{field}:")]
    return int(line.split()[1]) * 1024
