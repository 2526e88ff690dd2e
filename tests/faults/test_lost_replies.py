"""The connection breaks after a move was committed and before its reply arrived: nothing is lost, nothing doubled."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from pgqueue.ids import new_job_id
from tests.faults.silence import SilentProxy
from tests.worker.running import Desk, StartProcess


def send(desk: Desk, move: str, job_id: UUID, folder: Path) -> None:
    """A job whose attempt ends with this move; its id is in the message that settles it, and in none before."""
    if move == "succeed":
        desk.send("work", job_id=job_id)
    elif move == "fail":
        desk.send("fail_until", 2, job_id=job_id)
    elif move == "release":
        desk.send("snooze_once", str(folder / "snoozed"), job_id=job_id)
    else:
        desk.send("fail_until", 9, job_id=job_id, max_attempts=1)


ENDS = {
    "succeed": (["succeeded"], "succeeded"),
    "fail": (["failed", "succeeded"], "succeeded"),
    "end": (["failed"], "dead"),
    "release": (["released", "succeeded"], "succeeded"),
}


@pytest.mark.parametrize("move", ENDS)
def test_a_lost_reply_to_a_settlement_changes_nothing(
    spawn: StartProcess, desk: Desk, proxied: str, proxy: SilentProxy, tmp_path: Path, move: str
) -> None:
    job_id = new_job_id()
    # Successes are sent as text, the others in binary.
    proxy.lose_reply(job_id.hex.encode() if move == "succeed" else job_id.bytes)
    worker = spawn(proxied, executor="thread", poll=0.2)
    send(desk, move, job_id, tmp_path)
    outcomes, state = ENDS[move]
    assert desk.await_state(job_id).state == state
    assert proxy.lost.is_set()
    assert desk.outcomes(job_id) == outcomes
    desk.await_state(desk.send("work"))
    assert not worker.heard("late")


def test_a_claim_whose_reply_was_lost_is_given_back_uncharged(
    spawn: StartProcess, desk: Desk, proxied: str, proxy: SilentProxy
) -> None:
    job_id = desk.send("work")
    proxy.lose_reply(b"pgqueue.step(")
    spawn(proxied, executor="thread", poll=0.2)
    assert desk.await_state(job_id).state == "succeeded"
    assert proxy.lost.is_set()
    assert desk.outcomes(job_id) == ["succeeded"]
    # The second claim was the first attempt.
    assert desk.one("select (claim, attempt) = (2, 1) from pgqueue.attempts")


@pytest.mark.parametrize("kind", ["thread", "async"])
def test_a_job_whose_commit_was_answered_to_nobody_has_its_effect_once(
    spawn: StartProcess, desk: Desk, proxied: str, proxy: SilentProxy, kind: str
) -> None:
    # Not "READ COMMITTED".
    proxy.lose_reply(b"COMMIT\0")
    spawn(proxied, executor=kind, poll=0.2)
    job_id = desk.send("effect_async" if kind == "async" else "effect", 1)
    assert desk.await_state(job_id).state == "succeeded"
    assert proxy.lost.is_set()
    desk.await_state(desk.send("work"))
    assert desk.outcomes(job_id) == ["succeeded"]
    desk.check_effects([1])


@pytest.mark.parametrize(
    ("word", "outcomes"), [(b"COMMIT\0", ["succeeded"]), (b"pgqueue.complete(", ["failed", "succeeded"])]
)
def test_a_task_that_hears_no_answer_to_its_own_completion_has_its_effect_once(
    spawn: StartProcess, desk: Desk, dsn: str, proxied: str, proxy: SilentProxy, word: bytes, outcomes: list[str]
) -> None:
    proxy.lose_reply(word)
    spawn(dsn, executor="thread", poll=0.2)
    job_id = desk.send("complete_itself", proxied)
    assert desk.await_state(job_id).state == "succeeded"
    assert proxy.lost.is_set()
    desk.await_state(desk.send("work"))
    assert desk.outcomes(job_id) == outcomes
    desk.check_effects([1])


def test_a_heartbeat_whose_reply_was_lost_costs_nothing(
    spawn: StartProcess, desk: Desk, proxied: str, proxy: SilentProxy
) -> None:
    proxy.lose_reply(b"pgqueue.heartbeat(")
    worker = spawn(proxied, executor="thread", lease=2, poll=0.2)
    before = desk.workers()
    assert proxy.lost.wait(10)
    desk.await_state(desk.send("work", 2.5))
    assert desk.workers() == before
    assert worker.process.poll() is None
