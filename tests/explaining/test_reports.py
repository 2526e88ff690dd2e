"""What workers have told of themselves, and counted, makes an explanation better; what they tell may be anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

import pgqueue
from tests.explaining.asking import checked, finding, knowing, why
from tests.factories import TARGET, Conn, claim, enqueue, fill


def report(conn: Conn, worker: int, told: object) -> None:
    """What a worker tells with its heartbeat."""
    conn.execute(
        "insert into pgqueue.worker_reports (id, at, report) values (%s, clock_timestamp(), %s)"
        " on conflict (id) do update set at = excluded.at, report = excluded.report",
        [worker, told if isinstance(told, str) else json.dumps(told)],
    )


def test_busy_slots_are_those_that_the_worker_tells(db: Conn) -> None:
    worker = knowing(db, concurrency=3)
    fill(db, 3)
    taken = claim(db, worker, 3)
    job_id = enqueue(db)
    assert why(db, job_id).code == "slots_busy"
    report(db, worker, {"busy": 2, "running": [[str(taken[1].id), 1, 44.2], [str(taken[0].id), 1, 3.0]]})
    assert finding(pgqueue.explain(db, job_id), "slots_busy").text == "2 of 3 slots are busy"
    report(db, worker, {"busy": 3, "running": [[str(taken[1].id), 1, 44.2], [str(taken[0].id), 1, 3.0]]})
    found = why(db, job_id)
    assert found.text == f"all 3 slots are busy; longest with job {taken[1].id} ({TARGET}), for 44 s"
    db.execute("update pgqueue.worker_reports set at = at - interval '2 min', report = '{\"busy\": 0}'")
    assert why(db, job_id).code == "slots_busy", "too old to go by"


def test_a_job_that_its_worker_says_to_run_was_not_claimed_ahead(db: Conn) -> None:
    worker = knowing(db, concurrency=1)
    fill(db, 2)
    first, second = claim(db, worker, 2)
    assert [why(db, each.id).code for each in (first, second)] == ["running", "ahead"]
    report(db, worker, {"busy": 1, "running": [[str(second.id), second.claim, 1.0]]})
    assert why(db, second.id).code == "running"


def test_workers_that_only_poll_are_told(db: Conn) -> None:
    worker = knowing(db)
    report(db, worker, {"busy": 0, "listening": False})
    job_id = enqueue(db)
    found = finding(pgqueue.explain(db, job_id), "deaf")
    assert found.text == "1 of the workers that serve its queue find new jobs by polling alone"
    assert (found.holds, found.detail["polling_alone"]) == (False, 1)


def test_how_long_it_takes_is_told_by_what_workers_counted(db: Conn) -> None:
    knowing(db)
    fill(db, 9)
    job_id = enqueue(db)
    assert why(db, job_id).text == "behind 9 jobs of queue default"
    db.execute(
        "insert into pgqueue.tallies (minute, queue, target, outcome, n, ended)"
        " select date_trunc('minute', now()) - n * interval '1 minute', 'default', %s, 'succeeded', 3, 3"
        " from generate_series(2, 6) as n",
        [TARGET],
    )
    assert why(db, job_id).text == "behind 9 jobs of queue default; about 3 min at 3.0 a minute"


@pytest.mark.parametrize(
    "told",
    [
        *(
            [],
            "x",
            1,
            None,
            {},
            {"busy": "x"},
            {"busy": -1},
            {"busy": 10**30},
            {"busy": {}},
            {"busy": 1, "running": {}},
        ),
        {"busy": 1, "running": [1, [], [1], ["x", 1, "y"], [None, None, None], [["a"], {}, []]]},
        {"busy": 1, "running": [["00000000-0000-7000-8000-000000000000", 1, "1e999"]]},
        {"busy": 1, "running": [["00000000-0000-7000-8000-000000000000", 1, 5]], "listening": "no"},
    ],
)
def test_whatever_a_worker_tells_an_explanation_is_given(db: Conn, told: Any) -> None:
    worker = knowing(db)
    running, waiting = fill(db, 2)
    claim(db, worker)
    report(db, worker, json.dumps(told))
    for job_id in (running, waiting):
        checked(pgqueue.explain(db, job_id))
    checked(pgqueue.explain_queue(db, "default"))
