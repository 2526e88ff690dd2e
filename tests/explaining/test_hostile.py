"""Whatever stands in names and errors is text: in a terminal, and in the commands that are printed as cures."""

from __future__ import annotations

import shlex
import subprocess

import pytest

import pgqueue
from pgqueue.job import NewJob
from pgqueue.store import enqueueing, execute, queues
from tests.explaining.asking import checked, finding, knowing, why, why_not_drained
from tests.factories import Conn, claim, fail

NAMES = [
    "$(touch hacked)",
    "`touch hacked`",
    "a'b\"c",
    "-rf",
    "--all",
    "a; touch hacked",
    "a\nb",
    "\x1b[31mred",
    "%s %I {} {{7*7}}",
    "<script>alert(1)</script>",
    "\u202egnp",
    "x" * 500,
    "日本語",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_queue_name_is_one_word_of_the_cure(db: Conn, name: str) -> None:
    job_id = execute(db, enqueueing.enqueue(NewJob("shop:send", queue=name))).id
    execute(db, queues.pause(name))
    cure = why(db, job_id).cure
    assert cure is not None
    assert shlex.split(cure) == ["pgqueue", "queues", "resume", "--", name]
    assert why_not_drained(db, name).cure == cure
    # A shell agrees.
    words = subprocess.run(["sh", "-c", f"printf '%s\\0' {cure}"], capture_output=True, check=True).stdout
    assert words.decode().split("\0")[4] == name


@pytest.mark.parametrize("name", NAMES)
def test_a_target_is_one_word_of_the_cure(db: Conn, name: str) -> None:
    target = f"{name}:f"
    db.execute("insert into pgqueue.jobs (id, target) values (pgqueue.uuid7(), %s)", [target])
    row = db.execute("select id from pgqueue.jobs").fetchone()
    assert row is not None
    cure = why(db, row[0]).cure or ""
    assert shlex.split(cure) == ["pgqueue", "worker", "-A", name.partition(":")[0]]


def test_an_error_is_cut_and_kept_as_it_is(db: Conn) -> None:
    worker = knowing(db)
    job_id = execute(db, enqueueing.enqueue(NewJob("shop.tasks:send"))).id
    (taken,) = claim(db, worker)
    fail(db, taken, None)
    db.execute("update pgqueue.dead_jobs set error = repeat('\x1b[31m %s ', 100000), error_type = '%s{}'")
    found = checked(pgqueue.explain(db, job_id))
    assert len(found.headline.text) < 500
    assert len(str(found.headline.detail["error"])) == 500


def test_a_key_is_one_word_of_the_cure(db: Conn) -> None:
    db.execute("select pgqueue.set_limit('key', %s, rate => '1/h')", ["a'; touch hacked"])
    knowing(db)
    job_id = execute(db, enqueueing.enqueue(NewJob("shop.tasks:send", limit_key="a'; touch hacked"))).id
    name = "k:a'; touch hacked"
    db.execute("select pgqueue.meter_charge(%s, 3600, 1, clock_timestamp())", [name])
    found = finding(pgqueue.explain(db, job_id), "rate")
    assert shlex.split(found.cure or "") == ["pgqueue", "limits", "set", "--rate", "none", "--", "a'; touch hacked"]
