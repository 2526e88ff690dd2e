"""Batches in all executors: one call, an outcome for each of its jobs, and no job that pays for another."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pgqueue.errors import ArgumentError, OptionError, TargetError
from pgqueue.job import BatchClaim, Claim
from pgqueue.outcome import Move, Settlement
from pgqueue.tasks import task
from tests.worker import batch_tasks
from tests.worker.benches import KINDS, Bench, Make, wait_until
from tests.worker.claims import claim

BATCHES = "tests.worker.batch_tasks"


def ask(name: str, how: str = "succeed", value: Any = None, log: Path | None = None, **changes: Any) -> Claim:
    args = json.dumps({"how": how, "value": value, "log": str(log or "")})
    return claim("", target=f"{BATCHES}:{name}", **{"args": args, **changes})


def run(bench: Bench, *claims: Claim) -> list[Settlement]:
    """Their settlements, after one call for all."""
    bench.executor.submit([BatchClaim.of(claims)])
    ids = {each.id for each in claims}
    wait_until(lambda: ids <= {each.claim.id for each in tuple(bench.finished)})
    assert len(bench.finished) == len({each.claim.token for each in bench.finished}), "told of twice"
    by_id = {each.claim.id: each.settlement for each in bench.finished}
    wait_until(lambda: bench.executor.load() == 0)
    return [by_id[each.id] for each in claims]


@pytest.fixture(params=KINDS)
def bench(make: Make, request: pytest.FixtureRequest) -> Bench:
    return make(request.param, 1, apps=(BATCHES,))


@pytest.mark.parametrize("name", ["do", "do_async"])
def test_each_job_of_a_batch_has_an_outcome_of_its_own(bench: Bench, name: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    bad = ask(name, args="[1"), ask(name, args='{"nobody": 1}'), ask(name, args="[1, 2, 3, 4]")
    good = [
        ask(name, "succeed", "one", log, store_result=True),
        ask(name, "fail", 2),
        ask(name, "bury"),
        ask(name, "snooze"),
        ask(name, "succeed", "not stored"),
        ask(name, "fail", 3, max_attempts=1),
    ]
    done = run(bench, *good[:3], *bad, *good[3:])
    told = [(each.move, each.reason, each.result) for each in done]
    assert told[3:6] == [
        (Move.END, "unreadable", None),
        (Move.END, "unbindable", None),
        (Move.END, "unbindable", None),
    ]
    assert told[:3] + told[6:] == [
        (Move.SUCCEED, None, '"one"'),
        (Move.RETRY, None, None),
        (Move.END, "buried", None),
        (Move.RELEASE, None, None),
        (Move.SUCCEED, None, None),
        (Move.END, "exhausted", None),
    ]
    assert (done[1].error, done[6].delay) == ("job 2 fails", 7)
    assert [json.loads(line) for line in log.read_text().splitlines()] == [[str(each.id) for each in good]]


def test_one_job_alone_is_a_batch_of_one(bench: Bench) -> None:
    args = ["x"], ["y", 2]
    done = bench.run([claim("", *each, target=f"{BATCHES}:untyped", store_result=True) for each in args])
    assert [json.loads(each.result or "") for each in done] == [[each, 1, {}, "refused"] for each in args]
    (by_name,) = bench.run(
        [claim("", target=f"{BATCHES}:untyped", args='{"a": 1}', labels='{"b": "c"}', store_result=None)]
    )
    assert json.loads(by_name.result or "") == [{"a": 1}, 1, {"b": "c"}, "refused"]
    assert run(bench, *(claim("", n, 2, target=f"{BATCHES}:add", store_result=None) for n in range(3)))[2].result == "4"


@pytest.mark.parametrize("how", ["fail all", "exit"])
def test_no_job_of_a_batch_is_dead_by_what_another_may_have_done(make: Make, how: str) -> None:
    bench = make("process", 1, apps=(BATCHES,))
    done = run(bench, ask("strict"), ask("strict", how), ask("strict", max_attempts=1))
    assert [(each.move, each.outcome) for each in done] == [(Move.RETRY, "crashed" if how == "exit" else "failed")] * 3
    (alone,) = bench.run([ask("strict", how, crashes=2, max_attempts=None)])
    assert (alone.move, alone.reason) == (Move.END, "poison" if how == "exit" else "not retried")


def test_what_a_batch_task_raises_for_all_holds_for_each(bench: Bench) -> None:
    assert [each.reason for each in run(bench, ask("do"), ask("do", "bury all"))] == ["buried"] * 2


def test_a_timeout_is_that_of_the_job_with_least_time_and_buries_none(bench: Bench) -> None:
    began = time.monotonic()
    asked = ask("do", "sleep", 30), ask("do", timeout=0.3), ask("do", timeout=50)
    done = run(bench, *asked)
    assert time.monotonic() - began < 10
    assert [(each.move, each.outcome) for each in done] == [(Move.RETRY, "timeout")] * 3
    assert [(each.move, each.outcome) for each in run(bench, ask("strict", "sleep", 30), ask("strict"))] == [
        (Move.RETRY, "timeout")
    ] * 2


@pytest.mark.parametrize("name", ["watch_cancelled", "watch_cancelled_async"])
def test_a_cancelled_job_of_a_batch_is_told_and_the_others_go_on(bench: Bench, name: str) -> None:
    jobs = [ask(name, store_result=True) for _ in range(3)]
    bench.executor.submit([BatchClaim.of(jobs)])
    wait_until(lambda: len(bench.executor.running()) == 3)
    # Under `async` it waits for a thread first.
    time.sleep(0.2)
    bench.executor.cancel({jobs[1].id})
    wait_until(lambda: len(bench.finished) == 3)
    by_id = {each.claim.id: each.settlement for each in bench.finished}
    assert [by_id[each.id].result for each in jobs] == ["false", "true", "false"]
    assert bench.retired == []


def test_a_batch_of_which_all_are_cancelled_is_ended(bench: Bench) -> None:
    name = "do_async"
    jobs = [ask(name, "sleep", 30) for _ in range(2)]
    bench.executor.submit([BatchClaim.of(jobs)])
    wait_until(lambda: len(bench.executor.running()) == 2)
    time.sleep(0.2)
    bench.executor.cancel({each.id for each in jobs})
    wait_until(lambda: len(bench.finished) == 2)
    assert {each.settlement.outcome for each in bench.finished} == {"cancelled"}


def test_a_job_that_is_cancelled_before_its_batch_begins_does_not_take_part(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    first, others = ask("do", "sleep", 0.5), [ask("do", log=log) for _ in range(3)]
    bench.executor.submit([first])
    wait_until(bench.executor.running)
    # What was fed to a child ahead is its own already: nothing can be fed behind a job that is seen to be long.
    time.sleep(0.15)
    bench.executor.submit([BatchClaim.of(others)])
    bench.executor.cancel({others[0].id})
    wait_until(lambda: len(bench.finished) == 4)
    told = {each.claim.id: each.settlement.outcome for each in bench.finished}
    assert [told[each.id] for each in others] == ["cancelled", "succeeded", "succeeded"]
    assert json.loads(log.read_text()) == [str(each.id) for each in others[1:]]
    wait_until(lambda: bench.executor.load() == 0)


def test_a_batch_that_never_began_is_given_back_job_by_job(bench: Bench) -> None:
    running, waiting = ask("do", "sleep", 0.6), [ask("do") for _ in range(3)]
    bench.executor.submit([running])
    wait_until(bench.executor.running)
    time.sleep(0.15)
    bench.executor.submit([BatchClaim.of(waiting[:2])])
    assert bench.executor.load() == 2
    wait_until(lambda: {each.id for each in bench.executor.give_back(0.0)} == {each.id for each in waiting[:2]})
    bench.executor.submit([BatchClaim.of(waiting[1:])])
    left = bench.executor.stop(3.0)
    assert {(each.claim.id, each.started) for each in left} == {(each.id, False) for each in waiting[1:]}


def test_a_batch_that_does_not_end_is_handed_over_job_by_job(bench: Bench) -> None:
    jobs = [ask("do_async", "sleep", 30) for _ in range(3)]
    bench.executor.submit([BatchClaim.of(jobs)])
    wait_until(lambda: len(bench.executor.running()) == 3)
    time.sleep(0.2)
    there = {each.claim.id: each for each in bench.executor.whereabouts()}
    assert there.keys() == {each.id for each in jobs}
    assert str(jobs[0].id) in (there[jobs[2].id].why or "")
    left = bench.executor.stop(0.1)
    assert {(each.claim.id, each.started) for each in left} == {(each.id, True) for each in jobs}


def test_a_wrong_answer_fails_the_batch_and_says_what_is_wanted(bench: Bench) -> None:
    done = run(bench, ask("answer_nonsense"), ask("answer_nonsense"))
    assert [each.move for each in done] == [Move.RETRY] * 2
    assert "None or a mapping from job ids to results or exceptions; got list" in (done[0].error or "")
    assert "'nobody', which is no id of a job" in (
        run(bench, ask("answer_strange"), ask("answer_strange"))[0].error or ""
    )


def test_what_is_sensitive_in_one_job_stands_in_no_error_of_another(bench: Bench) -> None:
    secrets = ["first secret of all", "second secret of all"]
    done = run(
        bench,
        *(claim("", target=f"{BATCHES}:log_in", args=json.dumps({"user": "x", "token": secret})) for secret in secrets),
    )
    text = str(done)
    assert "no such tokens" in text
    assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"batch": 0}, "batch must be a whole number from 1 to 1000"),
        ({"batch_wait": 1}, "say batch, too"),
        ({"batch": 5, "batch_wait": 61}, "at most 60 s"),
        ({"batch": 5, "at_most_once": True}, "does not go with at_most_once"),
        ({"batch": 5, "max_attempts": 1}, "let max_attempts be at least 2"),
    ],
)
def test_options_that_cannot_be_kept_are_refused(options: Any, fault: str) -> None:
    with pytest.raises(OptionError, match=fault):
        _task(**options)(batch_tasks.note)


def _takes_two(jobs: Any, others: Any) -> None: ...


# As whoever checks no types would say it.
_task: Any = task


def test_a_function_that_takes_no_batch_is_refused() -> None:
    with pytest.raises(TargetError, match="given the batch, and cannot be called so"):
        _task(batch=5)(_takes_two)


def test_the_arguments_of_a_job_are_those_of_its_class() -> None:
    assert dict(batch_tasks.do.job(how="fail", value=3).args or {}) == {"how": "fail", "value": 3}
    assert batch_tasks.add.job(1, 2).args == (1, 2)
    with pytest.raises(ArgumentError, match="unexpected keyword argument 'nobody'; its arguments are do"):
        batch_tasks.do.job(nobody=1)
    with pytest.raises(ArgumentError, match="missing a required argument"):
        batch_tasks.add.job(1)
