"""Queues that take some targets alone: whoever brings another is refused in their transaction, by whichever way."""

from __future__ import annotations

import json
from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

import pgqueue
from pgqueue import NewJob
from tests.factories import TARGET, Conn, claim, claim_one, count, enlist, enqueue, fail, fall, job, settle
from tests.store.flows import job as node
from tests.store.flows import look, run, write

OTHER = "shop.tasks:charge"
REFUSED = (pgqueue.TargetNotAllowed, psycopg.errors.WithCheckOptionViolation)
Way = Callable[[Conn], object]


@pytest.fixture
def mail(db: Conn) -> Conn:
    """The queue `mail` takes `shop.tasks:send`, and what begins with `shop.mail:`."""
    pgqueue.allow_targets(db, "mail", [TARGET, "shop.mail:*"])
    return db


def one_of_each(conn: Conn, count: int = 1) -> list[NewJob]:
    return [NewJob(target, [1], queue="mail") for target in (TARGET, OTHER)] * count


def workflow(conn: Conn) -> None:
    nodes = [{"name": "a", "target": OTHER}, {"name": "b", "target": OTHER, "queue": "mail", "after": ["a"]}]
    conn.execute("select pgqueue.enqueue_workflow('flow', %s)", [json.dumps(nodes)])


def replace(conn: Conn) -> None:
    for target in (TARGET, OTHER):
        pgqueue.enqueue(conn, target, queue="mail", unique_key="k", on_conflict="replace")


WAYS: dict[str, Way] = {
    "one": lambda conn: pgqueue.enqueue(conn, OTHER, queue="mail"),
    "many": lambda conn: pgqueue.enqueue_many(conn, one_of_each(conn)),
    "with unique keys": lambda conn: pgqueue.enqueue(conn, OTHER, queue="mail", unique_key="k", unique_until="start"),
    "by COPY": lambda conn: pgqueue.enqueue_many(conn, one_of_each(conn, 300)),
    "in SQL": lambda conn: conn.execute("select pgqueue.enqueue(%s, queue => 'mail')", [OTHER]),
    "by hand": lambda conn: conn.execute(
        "insert into pgqueue.jobs (id, target, queue) values (pgqueue.uuid7(), %s, 'mail')", [OTHER]
    ),
    "in the place of a job that waits": replace,
    "as a schedule": lambda conn: pgqueue.schedule(conn, "nightly", OTHER, cron="0 3 * * *", queue="mail"),
    "as a step of a workflow that is still to come": workflow,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_queue_refuses_other_targets_in_the_transaction_of_who_brings_them(mail: Conn, way: Way) -> None:
    said = "the queue 'mail' takes no job of shop.tasks:charge: it allows"
    with pytest.raises(REFUSED, match=said) as refused, mail.transaction():
        way(mail)
    assert "pgqueue queues set QUEUE --allow PATTERN" in str(refused.value) + str(refused.value.__cause__)
    assert (count(mail, "jobs"), count(mail, "waiting"), count(mail, "schedules")) == (0, 0, 0)


def test_it_takes_what_it_allows_and_other_queues_take_anything(mail: Conn) -> None:
    pgqueue.enqueue(mail, TARGET, queue="mail")
    pgqueue.enqueue_many(mail, [NewJob("shop.mail:receipt", [n], queue="mail") for n in range(300)])
    pgqueue.enqueue(mail, OTHER, queue="web")
    workflow_elsewhere = [
        {"name": "a", "target": OTHER},
        {"name": "b", "target": TARGET, "queue": "mail", "after": ["a"]},
    ]
    mail.execute("select pgqueue.enqueue_workflow('flow', %s)", [json.dumps(workflow_elsewhere)])
    assert count(mail, "jobs") == 303


def test_the_error_names_queue_and_target(mail: Conn) -> None:
    with pytest.raises(pgqueue.TargetNotAllowed) as refused:
        pgqueue.enqueue(mail, OTHER, queue="mail")
    assert (refused.value.queue, refused.value.target) == ("mail", OTHER)


def test_a_pattern_means_targets_and_no_part_of_them(db: Conn) -> None:
    pgqueue.allow_targets(db, "mail", ["shop.mail:send_?"])
    pgqueue.enqueue(db, "shop.mail:send_1", queue="mail")
    for target in ("shop.mail:send_12", "shop.mail:send1", "xshop.mail:send_1", "shopxmail:send_1"):
        with pytest.raises(pgqueue.TargetNotAllowed):
            pgqueue.enqueue(db, target, queue="mail")


def test_a_route_leads_past_no_rule(mail: Conn) -> None:
    mail.execute("select pgqueue.set_route('shop.tasks:*', 'mail')")
    pgqueue.enqueue(mail, TARGET)
    with pytest.raises(pgqueue.TargetNotAllowed):
        pgqueue.enqueue(mail, OTHER)
    with pytest.raises(psycopg.errors.WithCheckOptionViolation), mail.transaction():
        mail.execute(
            "select pgqueue.enqueue_workflow('f', %s)",
            [json.dumps([{"name": "a", "target": "x:y"}, {"name": "b", "target": OTHER, "after": ["a"]}])],
        )


def test_an_update_by_hand_of_a_job_that_waits_is_refused_too(mail: Conn) -> None:
    waiting = enqueue(mail, queue="mail")
    for change in (f"target = '{OTHER}'", "queue = 'mail', target = 'os:system'"):
        with pytest.raises(psycopg.errors.WithCheckOptionViolation):
            mail.execute(f"update pgqueue.jobs set {change} where id = %s", [waiting])
    elsewhere = pgqueue.enqueue(mail, OTHER, queue="web")
    with pytest.raises(psycopg.errors.WithCheckOptionViolation):
        mail.execute("update pgqueue.jobs set queue = 'mail' where id = %s", [elsewhere.id])
    # What was there before the rule may be put off, or given another priority.
    pgqueue.allow_targets(mail, "web", ["shop.mail:*"])
    mail.execute("update pgqueue.jobs set priority = 2, queue = queue where id = %s", [elsewhere.id])


def test_a_dead_job_is_not_revived_where_it_must_not_run(db: Conn) -> None:
    held = claim_one(db, queue="mail")
    fail(db, held, delay=None)
    dead = held.id
    pgqueue.allow_targets(db, "mail", ["shop.mail:*"])
    with pytest.raises(pgqueue.TargetNotAllowed):
        pgqueue.retry(db, dead)
    found = db.execute("select revived, kept from pgqueue.retry_dead('mail', null, null, 10)").fetchone()
    assert found == (0, 1)
    pgqueue.allow_targets(db, "mail", None)
    assert pgqueue.retry(db, dead) == "ready"


def test_a_follow_up_that_is_refused_is_dead_and_does_not_hold_up_the_end(mail: Conn) -> None:
    parent = pgqueue.enqueue(mail, TARGET, on_success=NewJob(OTHER, {}, queue="mail"))
    (held,) = claim(mail, enlist(mail))
    settle(mail, held)
    row = mail.execute("select target, reason, error_type, error from pgqueue.dead_jobs").fetchone()
    assert row is not None
    assert row[:3] == (OTHER, "refused", "pgqueue.TargetNotAllowed")
    assert row[3].startswith("the queue 'mail' takes no job of shop.tasks:charge")
    assert pgqueue.get_job(mail, parent).state == "succeeded"


def test_a_step_that_waited_for_its_turn_when_the_rule_came_fails_its_workflow(db: Conn) -> None:
    flow = write(
        db,
        {"a": node(on=[1]), "b": node(1, queue="mail", on=[2], off=[3]), "c": node(2), "d": node(3)},
        {1: 1, 2: 1, 3: 1},
    )
    pgqueue.allow_targets(db, "mail", ["shop.mail:*"])
    run(db, flow, "a")
    look(db)
    assert str(flow.states(db)["a"]) == "succeeded"
    refused = pgqueue.get_job(db, flow.jobs["b"])
    assert (refused.state, refused.reason) == ("cancelled", "its queue takes no job of its target any more")
    assert {name: str(state) for name, state in flow.states(db).items() if name in "cd"} == {
        "c": "cancelled",
        "d": "ready",
    }


def test_a_schedule_of_code_that_is_refused_says_so_and_no_other_is_kept_from_being_declared(mail: Conn) -> None:
    said = [
        {"target": target, "schedule": {"name": target, "target": target, "every": 60, "queue": "mail"}}
        for target in (OTHER, TARGET)
    ]
    mail.execute("select pgqueue.declare_rules(1, 'shop', 'h', %s)", [json.dumps(said)])
    assert count(mail, "schedules") == 2


def triggers(conn: Conn) -> list[str]:
    found = conn.execute(
        "select tgname from pg_trigger where not tgisinternal and tgrelid in"
        " ('pgqueue.jobs'::regclass, 'pgqueue.waiting'::regclass) order by 1"
    )
    return [row[0] for row in found]


def test_there_is_no_trigger_where_no_queue_says_what_it_takes(db: Conn) -> None:
    before = triggers(db)
    pgqueue.allow_targets(db, "mail", ["shop.mail:*"])
    pgqueue.allow_targets(db, "web", ["shop.web:*"])
    assert set(triggers(db)) - set(before) == {"jobs_allowed", "jobs_still_allowed", "waiting_allowed"}
    pgqueue.allow_targets(db, "mail", None)
    with pytest.raises(pgqueue.TargetNotAllowed):
        pgqueue.enqueue(db, OTHER, queue="web")
    pgqueue.unset_queue(db, "web")
    pgqueue.allow_targets(db, "web", None)
    assert triggers(db) == before


def calls(conn: Conn) -> int:
    conn.execute("select pg_stat_clear_snapshot()")
    row = conn.execute(
        "select coalesce(pg_stat_get_xact_function_calls(oid), 0) from pg_proc where proname = 'keep_allowed'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_jobs_of_other_queues_call_no_function_among_up_to_a_hundred_rules(db: Conn) -> None:
    for number in range(100):
        pgqueue.allow_targets(db, f"q{number}", ["shop.mail:*"])
    db.execute("set track_functions = 'pl'")
    with db.transaction():
        pgqueue.enqueue_many(db, [NewJob(OTHER, queue="web")] * 20)
        assert calls(db) == 0
    pgqueue.allow_targets(db, "q100", ["shop.mail:*"])
    with db.transaction():
        pgqueue.enqueue(db, OTHER, queue="web")
        assert calls(db) == 1
    for queue in ("q0", "q50", "q100"):
        with pytest.raises(pgqueue.TargetNotAllowed):
            pgqueue.enqueue(db, OTHER, queue=queue)


def test_other_patterns_of_a_queue_need_no_lock(db: Conn, conn: Conn) -> None:
    pgqueue.allow_targets(db, "mail", ["shop.mail:*"])
    enqueue(conn)
    pgqueue.allow_targets(db, "mail", ["shop.mail:*", OTHER])
    with pytest.raises(psycopg.errors.LockNotAvailable, match="open for a second"):
        pgqueue.allow_targets(db, "web", ["shop.web:*"])
    conn.rollback()
    pgqueue.enqueue(db, OTHER, queue="mail")


def test_who_may_only_enqueue_is_refused_as_others_and_cannot_lift_it(mail: Conn, conn: Conn) -> None:
    role = sql.Identifier(f"producer_of_{conn.info.dbname}")
    mail.execute(sql.SQL("create role {}").format(role))
    try:
        mail.execute(sql.SQL("grant usage on schema pgqueue to {}").format(role))
        mail.execute(sql.SQL("grant insert on pgqueue.jobs to {}").format(role))
        conn.execute(sql.SQL("set role {}").format(role))
        by_hand = "insert into pgqueue.jobs (id, target, queue) values (pgqueue.uuid7(), %s, 'mail')"
        conn.execute(by_hand, [TARGET])
        conn.commit()
        with pytest.raises(psycopg.errors.WithCheckOptionViolation):
            conn.execute(by_hand, [OTHER])
        conn.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            pgqueue.allow_targets(conn, "mail", None)
        conn.rollback()
    finally:
        conn.execute("reset role")
        conn.commit()
        mail.execute(sql.SQL("drop owned by {}").format(role))
        mail.execute(sql.SQL("drop role {}").format(role))


@pytest.mark.parametrize(
    ("queue", "patterns", "fault"),
    [
        ("", ["a:b"], "queue must"),
        ("mail", [], "1 to 100 targets"),
        ("mail", ["a:b"] * 101, "1 to 100 targets"),
        ("mail", ["send"], "a target 'module:function', or a glob of them"),
        ("mail", [""], "what a queue allows"),
    ],
)
def test_what_no_queue_can_allow_is_refused(conn: Conn, queue: str, patterns: list[str], fault: str) -> None:
    with pytest.raises(pgqueue.OptionError, match=fault):
        pgqueue.allow_targets(conn, queue, patterns)
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        conn.execute("select pgqueue.allow_targets(%s, %s)", [queue, patterns])


def test_code_that_follows_a_failed_attempt_is_settled_as_ever(mail: Conn) -> None:
    """The worker that claims it refuses it; a settlement that raised would hold up all others of its batch."""
    held = claim_one(mail, queue="mail")
    assert not fall(mail, held, OTHER)
    assert job(mail, held.id).target == OTHER
