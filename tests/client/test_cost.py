"""A job's cost: it arrives from every way in, stays with the job to its end, and a rate counts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import errors

import pgqueue
from pgqueue import NewJob
from tests.factories import TARGET, Conn, claim_one, count, enlist, fail, job
from tests.limits import claim_keyed, rule, take_keyed

Way = Callable[[Conn], object]
SAID: dict[str, dict[str, Any]] = {
    "plain": {},
    "limit_key": {"limit_key": "k"},
    "delay": {"delay": 0},
    "ttl": {"ttl": 60},
    "unique_key": {"unique_key": "u"},
    "unique_for": {"unique_key": "u", "unique_for": 60},
    "unique_until": {"unique": "args", "unique_until": "start"},
    "job_id": {"job_id": uuid4()},
    "job_id and key": {"job_id": uuid4(), "unique_key": "u"},
    "always": {"notify": "always"},
    "off": {"notify": "off"},
}


@pgqueue.Task
def _task() -> None: ...


def _batch(conn: Conn, *said: dict[str, Any]) -> UUID:
    return pgqueue.enqueue_many(conn, [NewJob(TARGET, **each) for each in said])[0]


def _scheduled(conn: Conn, **options: Any) -> object:
    pgqueue.schedule(conn, "s", TARGET, every=60, cost=5, **options)
    return pgqueue.run_schedule(conn, "s")


WAYS: dict[str, Way] = {
    **{
        f"one {name}": lambda conn, said=said: pgqueue.enqueue(conn, TARGET, cost=5, **said).id
        for name, said in SAID.items()
    },
    **{
        f"many {name}": lambda conn, said=said: _batch(conn, {"cost": 5, **said}, {"unique_key": "other"})
        for name, said in SAID.items()
        if name not in ("always", "off")
    },
    "copied": lambda conn: _batch(conn, *[{"cost": 5}, *[{} for _ in range(150)]]),
    "using": lambda conn: _task.using(cost=5).enqueue(conn).id,
    "task": lambda conn: pgqueue.task(cost=5)(_task.function).enqueue(conn).id,
    "sql": lambda conn: conn.execute(f"select pgqueue.enqueue('{TARGET}', cost => 5)"),
    "sql unique_key": lambda conn: conn.execute(f"select pgqueue.enqueue('{TARGET}', unique_key => 'u', cost => 5)"),
    "sql job_id": lambda conn: conn.execute(f"select pgqueue.enqueue('{TARGET}', job_id => '{uuid4()}', cost => 5)"),
    "enqueue_unique": lambda conn: conn.execute(f"select pgqueue.enqueue_unique('{TARGET}', cost => 5)"),
    "schedule": _scheduled,
    "unique schedule": lambda conn: _scheduled(conn, unique_key="u", on_conflict="keep"),
    "sql schedule": lambda conn: conn.execute(
        f"select pgqueue.schedule('s', '{TARGET}', every => '60 s', cost => 5), pgqueue.run_schedule('s')"
    ),
}


@pytest.fixture(autouse=True)
def _forget_task() -> Iterator[None]:
    yield
    import_module("pgqueue.tasks.task").known.pop(_task.target, None)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_cost_arrives_from_every_way_in(db: Conn, way: Way) -> None:
    way(db)
    costs = [row[0] for row in db.execute("select cost from pgqueue.jobs").fetchall()]
    assert costs.count(5) == 1
    assert costs.count(None) == len(costs) - 1


def test_a_rate_counts_each_job_as_its_cost_and_no_more_than_its_burst(db: Conn) -> None:
    rule(db, "key", "k", starts=10, period=60.0)
    for cost in (4, 4, None, 4):
        pgqueue.enqueue(db, TARGET, limit_key="k", cost=cost)
    pgqueue.enqueue(db, TARGET, limit_key="whole", cost=1_000_000_000)
    rule(db, "key", "whole", starts=3, period=60.0)
    worker = enlist(db)
    assert len(take_keyed(db, worker)) == 4
    found = claim_keyed(db, worker)
    assert (found.step.claims, found.step.next_due is None) == ([], False)


def test_a_rate_of_a_queue_counts_the_cost_of_jobs_without_keys(db: Conn) -> None:
    rule(db, "queue", "default", starts=10, period=60.0)
    for _ in range(3):
        pgqueue.enqueue(db, TARGET, cost=5)
    assert len(take_keyed(db, enlist(db))) == 2


def test_replace_keeps_the_cost_unless_the_call_says_one(db: Conn) -> None:
    again: dict[str, Any] = {"unique_key": "u", "on_conflict": "replace"}
    made = pgqueue.enqueue(db, TARGET, delay=60, cost=5, **again, max_wait=60)
    assert pgqueue.enqueue(db, TARGET, [1], **again).replaced
    assert job(db, made.id).cost == 5
    assert pgqueue.enqueue(db, TARGET, [2], cost=7, **again) == (made.id, False)
    assert (job(db, made.id).cost, job(db, made.id).args) == (7, [2])


@pytest.mark.parametrize("more", [{}, {"on_conflict": "keep"}])
def test_a_call_that_meets_its_key_taken_leaves_the_cost_alone(db: Conn, more: dict[str, Any]) -> None:
    made = pgqueue.enqueue(db, TARGET, unique_key="u", cost=5)
    assert pgqueue.enqueue(db, TARGET, unique_key="u", cost=7, **more) == (made.id, False)
    assert _batch(db, {"unique_key": "u", "cost": 7, **more}) == made.id
    assert (job(db, made.id).cost, count(db, "jobs")) == (5, 1)


def test_a_dead_job_keeps_its_cost_and_is_revived_with_it(db: Conn) -> None:
    for revive in ("select pgqueue.retry(%s)", "select pgqueue.retry_dead(null, null, null, 10) where %s is not null"):
        claim = claim_one(db, cost=5)
        fail(db, claim, None)
        assert (job(db, claim.id).state, job(db, claim.id).cost) == ("dead", 5)
        db.execute(revive, [claim.id])
        assert (job(db, claim.id).state, job(db, claim.id).cost) == ("ready", 5)
        db.execute("delete from pgqueue.jobs")


@pytest.mark.parametrize("cost", [0, -1, 1.5, True, "5", 1_000_000_001])
def test_what_is_no_cost_is_refused(db: Conn, cost: Any) -> None:
    with pytest.raises(pgqueue.OptionError, match="cost must be a whole number from 1 to 1000000000, got"):
        NewJob(TARGET, cost=cost)


@pytest.mark.parametrize("function", ["enqueue", "enqueue_unique", "schedule"])
def test_sql_refuses_what_is_no_cost(db: Conn, function: str) -> None:
    name, more = ("'s', ", ", every => '1 min'") if function == "schedule" else ("", "")
    for cost in (0, 1_000_000_001):
        with pytest.raises(errors.InvalidParameterValue, match=f"cost must be from 1 to 1000000000, got {cost}"):
            db.execute(f"select pgqueue.{function}({name}'{TARGET}', cost => {cost}{more})")


def test_a_word_that_is_near_leads_to_cost() -> None:
    for word, said in (("cots", r"did you mean cost\?"), ("tokens", "say cost")):
        with pytest.raises(pgqueue.OptionError, match=said):
            NewJob(TARGET, **{word: 5})
        with pytest.raises(pgqueue.OptionError, match=said):
            _task.using(**{word: 5})


def test_p14_calls_in_the_words_of_the_last_release_find_one_function(db: Conn) -> None:
    db.execute(f"select pgqueue.enqueue('{TARGET}'), pgqueue.enqueue('{TARGET}', '[1]', 'mail', 5)")
    assert count(db, "jobs") == 2
