"""What a worker says when it starts: its tasks and queues, and what may be a slip of the pen."""

from __future__ import annotations

import pytest

from pgqueue.events import WorkerStarted
from pgqueue.tasks import Modules
from pgqueue.worker.supervision.doubts import doubts
from tests.waiting import wait_until
from tests.worker.running import ANY_KIND, ERRANDS, Desk, StartThreaded

SHOP = Modules(("shop",))


@pytest.mark.parametrize("executor", ANY_KIND)
def test_a_worker_names_its_tasks_and_doubts_a_queue_that_nobody_uses(
    desk: Desk, start: StartThreaded, executor: str
) -> None:
    desk.send("work", queue="mail", delay=3600)
    worker = start(executor=executor, queues=["mail", "critical=3", "mali", "new"])
    wait_until(lambda: worker.heard(WorkerStarted))
    (told,) = worker.heard(WorkerStarted)
    assert f"{ERRANDS}:work" in told.tasks
    assert [doubt.partition(":")[0].partition(";")[0] for doubt in told.doubts] == [
        "no job waits in a queue 'critical=3'",
        "no job waits in a queue 'mali'",
    ]
    assert "did you mean 'mail'?" in told.doubts[1]


def test_a_set_of_letters_is_doubted_unless_a_queue_has_that_name() -> None:
    assert list(doubts(["mail[12]"], ["mail[12]"], SHOP, 1)) == []
    assert len(list(doubts(["mail[12]"], ["mail1"], SHOP, 1))) == 1


def test_a_glob_is_not_doubted_for_queues_that_are_to_come() -> None:
    assert list(doubts(["mail.*", "?"], ["web"], SHOP, 1)) == []


def test_an_app_that_offers_nothing_is_doubted() -> None:
    (doubt,) = doubts(None, [], SHOP, 0)
    assert "no task is declared in shop, and no public function is defined there" in doubt
    (doubt,) = doubts(None, [], Modules(("shop",), tasks_only=True), 0)
    assert "no task is declared in shop; name the module that has them" in doubt
