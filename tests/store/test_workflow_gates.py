"""Jobs that wait for the ends of others: released once, by whoever comes, whatever becomes of those others."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.ids import new_job_id
from pgqueue.job import JobState
from pgqueue.store import enqueueing, execute, jobs
from tests import factories
from tests.factories import TARGET, Conn, claim, count, enlist, expire, fail, outcomes, reap, settle, state, step
from tests.store import flows
from tests.store.flows import bury, cancel_all, chain, chord, job, look, retry_all, run, taken, told, write, wrong

WAITING, READY, DONE = JobState.WAITING, JobState.READY, JobState.SUCCEEDED
DEAD, CANCELLED = JobState.DEAD, JobState.CANCELLED


def args(db: Conn, job_id: UUID) -> Any:
    (found,) = db.execute("select args from pgqueue.job where id = %s", [job_id]).fetchone() or (None,)
    return found


def test_a_link_of_a_chain_is_claimed_by_the_step_that_settles_the_one_before(db: Conn) -> None:
    flow = chain(db, 4)
    worker = enlist(db)
    held = claim(db, worker)
    for name in ("1", "2", "3", "4"):
        assert [flow.name(each.id) for each in held] == [name]
        held = step(db, worker, held, 1).claims
    assert held == []
    assert set(flow.states(db).values()) == {DONE}
    assert wrong(db, flow) == {}
    assert count(db, "gates") == count(db, "waiting") == 0


def test_a_callback_waits_for_all_and_gets_their_results_in_order(db: Conn) -> None:
    flow = chord(db, 3)
    assert flow.states(db) == {"m1": READY, "m2": READY, "m3": READY, "then": WAITING}
    run(db, flow, "m2", result='{"n": 2.50}')
    run(db, flow, "m1", result="1e400")
    assert state(db, flow.jobs["then"]) is WAITING
    run(db, flow, "m3", result='"drei"')
    (held,) = taken(db, flow, "then")
    assert held.args == '{"all":[1e400,{"n": 2.50},"drei"]}'


def test_results_of_members_stay_as_long_as_their_workflow(db: Conn) -> None:
    flow = chord(db, 2)
    run(db, flow, "m1")
    db.execute("select pgqueue.prune('1 second', '1 second')")
    assert count(db, "results") == 1
    run(db, flow, "m2")
    assert args(db, flow.jobs["then"]) == {"all": [1, 1]}


@pytest.mark.parametrize(
    ("given", "inputs", "filled"),
    [
        ("[null, 5]", {"0": "$a"}, "[7,5]"),
        ("[5]", {"+": "$a"}, "[7,5]"),
        ("{}", {"+": "$a"}, "[7]"),
        (' { "x": {"y": {}} } ', {"a": "$a"}, '{ "x": {"y": {}} ,"a":7}'),
        ("{}", {'a"\\}': "$a", "b": ["$a", "$none"]}, '{"b":[7,null],"a\\"\\\\}":7}'),
        ("{}", {"x": {"first": ["$none", "$a"]}}, '{"x":7}'),
        ("{}", {"x": {"first": ["$none"]}}, '{"x":null}'),
        ("{}", {"x": 99}, '{"x":[]}'),
        ("[1.10, 2e3]", {"1": "$none"}, "[1.10,null]"),
    ],
)
def test_arguments_are_filled_in_where_they_say(db: Conn, given: str, inputs: Any, filled: str) -> None:
    flow = chain(db, 1)
    run(db, flow, "1", result="7")
    text = json.dumps(inputs).replace("$a", str(flow.jobs["1"])).replace("$none", str(new_job_id()))
    (found,) = db.execute("select pgqueue.filled_args(%s, %s, %s)::text", [given, text, flow.id]).fetchone() or ()
    assert sorted(found) == sorted(filled)
    assert json.loads(found) == json.loads(filled)


def test_too_many_results_are_no_argument(db: Conn) -> None:
    flow = chord(db, 2)
    db.execute(
        """
        insert into pgqueue.results (job_id, expires_at, result, workflow_id, node)
        select gen_random_uuid(), 'infinity', '1', %s, 1 from generate_series(1, 1001)
        """,
        [flow.id],
    )
    run(db, flow, "m1", "m2")
    assert args(db, flow.jobs["then"]) == {"all": None}


def test_a_death_holds_what_waits_for_it_and_a_retry_goes_on_there(db: Conn) -> None:
    flow = chord(db, 3, end=True)
    run(db, flow, "m1", "m3")
    bury(db, flow, "m2")
    assert flow.states(db) == {"m1": DONE, "m2": DEAD, "m3": DONE, "then": WAITING, "end": READY}
    run(db, flow, "end")
    assert retry_all(db, flow) == 1
    run(db, flow, "m2")
    run(db, flow, "then")
    assert set(flow.states(db).values()) == {DONE}
    assert outcomes(db, flow.jobs["end"]) == ["succeeded"]
    assert outcomes(db, flow.jobs["m1"]) == ["succeeded"]
    assert wrong(db, flow) == {}


def test_one_dead_member_is_revived_by_itself(db: Conn) -> None:
    flow = chord(db, 1)
    bury(db, flow, "m1")
    assert execute(db, jobs.retry(flow.jobs["m1"])) is READY
    run(db, flow, "m1")
    run(db, flow, "then")


def test_who_dies_again_after_a_retry_is_not_revived_by_the_same_request(db: Conn) -> None:
    flow = chord(db, 3)
    bury(db, flow, "m1", "m2")
    assert db.execute("select pgqueue.retry_workflow(%s, 1)", [flow.id]).fetchone() == (1,)
    db.commit()
    bury(db, flow, "m1")
    db.commit()
    assert retry_all(db, flow) == 1
    assert [flow.states(db)[name] for name in ("m1", "m2")] == [DEAD, READY]
    assert retry_all(db, flow) == 1


@pytest.mark.parametrize("how", ["cancel", "bulk", "workflow", "dropped"])
def test_a_member_that_is_cancelled_closes_what_only_its_success_would_have_opened(db: Conn, how: str) -> None:
    members = {
        "a": job(on=[1, 3], off=[3]),
        "b": job(1, on=[2, 3], off=[3]),
        "c": job(2, on=[3], off=[3]),
        "end": job(3),
        "d": job(on=[3], off=[3]),
    }
    nodes = {1: {}, 2: {}, 3: {}, 4: {"callback": True}, 5: {}}
    flow = write(db, members, {1: 1, 2: 1, 3: 4}, nodes)
    run(db, flow, "d")
    match how:
        case "cancel":
            assert execute(db, jobs.cancel(flow.jobs["a"])) is CANCELLED
        case "bulk":
            db.execute("select pgqueue.operate_on(%s, 'cancel', '{ready}', null, null)", [flow.jobs["a"]])
        case "dropped":
            db.execute("select pgqueue.drop_oldest('default', 1, 1)")
        case "workflow":
            assert cancel_all(db, flow) == 3
    expected = {"a": CANCELLED, "b": CANCELLED, "c": CANCELLED, "d": DONE, "end": READY}
    assert flow.states(db) == expected
    run(db, flow, "end")
    assert wrong(db, flow) == {}
    assert count(db, "gates") == 0


@pytest.mark.parametrize("how", ["purge", "forget", "bulk"])
def test_what_waits_for_a_dead_job_that_is_forgotten_is_cancelled(db: Conn, how: str) -> None:
    flow = chord(db, 2, end=True)
    run(db, flow, "m1")
    bury(db, flow, "m2")
    match how:
        case "purge":
            db.execute("select pgqueue.purge_dead(null, null, now() + interval '1 day', 10)")
        case "forget":
            db.execute("select pgqueue.forget_dead(null, null, now() + interval '1 day', null, 10)")
        case "bulk":
            db.execute("select pgqueue.operate_on(%s, 'purge', '{dead}', null, null)", [flow.jobs["m2"]])
    assert flow.states(db)["then"] is CANCELLED
    assert flow.states(db)["end"] is READY
    assert wrong(db, flow) == {}


def test_a_member_with_the_policy_to_cancel_takes_all_behind_it_along(db: Conn) -> None:
    flow = write(
        db,
        {"a": job(on=[1], off=[-1]), "b": job(1, on=[2]), "c": job(2), "x": job(3)},
        {1: {"unmet": 1, "links": [3]}, 2: 1, 3: 2},
    )
    bury(db, flow, "a")
    assert flow.states(db) == {"a": DEAD, "b": CANCELLED, "c": CANCELLED, "x": CANCELLED}
    assert count(db, "gates") == 0


def test_a_branch_that_is_not_needed_is_called_off_without_a_word_to_others(db: Conn) -> None:
    flow = write(
        db,
        {"a": job(on=[-1, 2], off=[1]), "repair": job(1, on=[2, 4], off=[3, 4]), "next": job(2), "sorry": job(3)},
        {1: 1, 2: 1, 3: 1, 4: 1},
    )
    run(db, flow, "a")
    assert flow.states(db) == {"a": DONE, "repair": CANCELLED, "next": READY, "sorry": WAITING}
    gates = db.execute("select array_agg(gate order by gate) from pgqueue.gates").fetchone()
    assert gates == ([3],)


@pytest.mark.parametrize(
    ("error", "opened"),
    [("shop.Timeout", "slow"), ("shop.Other", "other"), (None, "called off")],
)
def test_a_branch_opens_for_its_error_alone(db: Conn, error: str | None, opened: str) -> None:
    flow = write(
        db,
        {"a": job(off=[1, 2, 3]), "slow": job(1), "other": job(2), "called off": job(3)},
        {},
    )
    db.execute(
        """
        insert into pgqueue.gates (workflow_id, gate, unmet, total, failed_id, errors, others)
        values (%(w)s, 1, 1, 1, %(a)s, '{shop.Timeout}', null), (%(w)s, 2, 1, 1, %(a)s, '{shop.Timeout}', true),
               (%(w)s, 3, 1, 1, %(a)s, null, null)
        """,
        {"w": flow.id, "a": flow.jobs["a"]},
    )
    if error is None:
        execute(db, jobs.cancel(flow.jobs["a"]))
    else:
        bury(db, flow, "a", error_type=error)
    found = {name for name, said in flow.states(db).items() if said is READY}
    assert found == {opened}
    assert set(flow.states(db).values()) <= {READY, CANCELLED, DEAD}


@pytest.mark.parametrize("how", ["complete", "succeed", "manual", "fallen", "expired", "lost", "buried", "unclaimable"])
def test_each_way_to_an_end_counts_once(db: Conn, how: str) -> None:
    flow = chord(db, 1, end=True)
    member = flow.jobs["m1"]
    match how:
        case "complete" | "succeed":
            (held,) = taken(db, flow, "m1")
            for _ in range(2):
                assert execute(db, jobs.complete(held, "1", "{}" if how == "succeed" else None))
        case "manual":
            (held,) = taken(db, flow, "m1")
            factories.fall(db, held)
            db.execute("select pgqueue.manual_done(%s, '1')", [member])
        case "fallen":
            (held,) = taken(db, flow, "m1")
            factories.fall(db, held, "shop.naive:send")
            run(db, flow, "m1")
        case "expired":
            (held,) = taken(db, flow, "m1")
            fail(db, held, None, outcome="expired", reason="expired")
        case "lost":
            db.execute("update pgqueue.jobs set max_attempts = 1")
            (held,) = taken(db, flow, "m1")
            expire(db, held.worker)
            reap(db)
        case "buried" | "unclaimable":
            db.execute("select pgqueue.bury_waiting(%s, 'buried', null, 'no')", [member])
    well = how in ("complete", "succeed", "manual", "fallen")
    assert state(db, member) is (DONE if well else DEAD)
    assert flow.states(db)["end"] is READY
    assert flow.states(db)["then"] is (READY if well else WAITING)
    assert wrong(db, flow) == {}


def test_a_repeated_a_late_and_a_refused_settlement_count_nothing(db: Conn) -> None:
    flow = chord(db, 2)
    (held,) = taken(db, flow, "m1")
    settle(db, held)
    settle(db, held)
    (other,) = taken(db, flow, "m2")
    expire(db, other.worker)
    reap(db)
    assert settle(db, other) == {other.id}
    assert flow.states(db)["then"] is WAITING
    (unmet,) = db.execute("select unmet from pgqueue.gates").fetchone() or (None,)
    assert unmet == 1


def test_a_caller_that_rolls_back_has_enqueued_nothing(conn: Conn) -> None:
    chord(conn, 2)
    conn.rollback()
    for table in ("workflows", "nodes", "gates", "waiting", "jobs"):
        assert count(conn, table) == 0


def test_the_same_id_or_a_live_unique_key_finds_the_workflow_that_is_there(db: Conn) -> None:
    flow = chain(db, 1, unique_key="order 42")
    begin = "select id, created from pgqueue.begin_workflow(%s, 'again', %s, null, null, null)"
    assert db.execute(begin, [flow.id, None]).fetchone() == (flow.id, False)
    assert db.execute(begin, [new_job_id(), "order 42"]).fetchone() == (flow.id, False)
    run(db, flow, "1")
    other = new_job_id()
    assert db.execute(begin, [other, "order 42"]).fetchone() == (other, True)


def test_the_id_of_a_job_that_waits_is_taken(db: Conn) -> None:
    flow = chain(db, 2)
    again = execute(db, enqueueing.enqueue(factories.NewJob(TARGET, job_id=flow.jobs["2"])))
    assert (again.id, again.created) == (flow.jobs["2"], False)


def test_a_job_that_waits_is_shown_and_can_be_cancelled_alone(db: Conn) -> None:
    flow = write(db, {"a": job(on=[1]), "b": job(1, priority=2, limit_key="k")}, {1: 1})
    shown = factories.job(db, flow.jobs["b"])
    assert (shown.state, shown.priority, shown.limit_key, shown.queue) == (WAITING, 2, "k", "default")
    assert execute(db, jobs.retry(flow.jobs["b"])) is WAITING
    assert execute(db, jobs.cancel(flow.jobs["b"])) is CANCELLED
    assert execute(db, jobs.cancel(flow.jobs["b"])) is CANCELLED
    run(db, flow, "a")
    assert count(db, "jobs") == count(db, "waiting") == 0


def test_a_released_job_is_due_as_it_said_and_waits_in_its_lane(db: Conn) -> None:
    db.execute("insert into pgqueue.routes (pattern, queue) values ('shop.tasks:*', 'shop')")
    db.execute("select pgqueue.arrange_filling(true)")
    flow = write(
        db,
        {
            "a": job(on=[1], queue="default"),
            "later": job(1, delay=60, ttl=30),
            "then": job(1, run_at="2990-01-01T00:00:00Z", priority=1),
            "keyed": job(1, limit_key="k", cost=1, labels={"x": "y"}, timeout=5, max_attempts=2),
        },
        {1: 1},
    )
    run(db, flow, "a")
    rows = db.execute(
        """
        select target, queue, priority, lane, lined, labels, timeout, max_attempts, run_at > now() + interval '50 s',
               extract(epoch from expires_at - run_at)::int, extract(year from run_at)::int = 2990
        from pgqueue.jobs order by id
        """
    ).fetchall()
    assert [row[1:] for row in rows] == [
        ("shop", 5, None, None, None, None, None, True, 30, False),
        ("shop", 1, None, None, None, None, None, True, None, True),
        ("shop", 5, "k", True, {"x": "y"}, 5.0, 2, False, None, False),
    ]


def test_a_gate_with_very_many_lets_them_go_bit_by_bit(db: Conn) -> None:
    flow = write(db, {"a": job(on=[1])}, {1: {"unmet": 1, "links": [2]}, 2: 1})
    db.execute(
        """
        insert into pgqueue.waiting (id, workflow_id, gate, node, target)
        select gen_random_uuid(), %s, 1, 2, 'shop:x' from generate_series(1, 2500)
        """,
        [flow.id],
    )
    run(db, flow, "a")
    assert count(db, "jobs") == 1000
    look(db)
    assert count(db, "jobs") == 2000
    look(db)
    assert (count(db, "jobs"), count(db, "gates"), count(db, "arrivals")) == (2500, 0, 0)


def test_a_cascade_of_very_many_goes_on_with_whoever_comes(db: Conn) -> None:
    length = 2500
    members = {"1": job(on=[1], off=[-1])}
    members |= {str(number): job(number - 1, on=[number]) for number in range(2, length)}
    flow = write(db, members, dict.fromkeys(range(1, length), 1))
    bury(db, flow, "1")
    assert 0 < count(db, "waiting") < length - 1000
    for _ in range(3):
        look(db)
    assert count(db, "waiting") == count(db, "gates") == count(db, "arrivals") == 0


def test_a_workflow_that_is_refused_stops_no_settlement_and_goes_on_when_it_can(db: Conn) -> None:
    bad, well = chain(db, 2), chain(db, 2)
    db.execute('update pgqueue.waiting set inputs = \'{"x": "no id"}\' where workflow_id = %s', [bad.id])
    worker = enlist(db, concurrency=2)
    held = claim(db, worker, 2)
    (last,) = step(db, worker, held, 5).claims
    assert last.id == well.jobs["2"]
    assert bad.states(db) == {"1": DONE, "2": WAITING}
    assert db.execute("select gate, n from pgqueue.arrivals").fetchall() == [(1, 1)]
    db.execute("update pgqueue.waiting set inputs = null")
    look(db)
    assert bad.states(db)["2"] is WAITING
    db.execute("update pgqueue.arrivals set again_at = now()")
    look(db)
    assert bad.states(db)["2"] is READY


def test_a_full_queue_holds_a_release_until_it_has_room(db: Conn) -> None:
    flow = write(db, {"a": job(on=[1], queue="other"), "b": job(1)}, {1: 1})
    db.execute("insert into pgqueue.queues (name, max_size, on_full) values ('default', 1, 'raise')")
    db.execute("select pgqueue.bound_queue('default')")
    blocker = factories.enqueue(db)
    held = claim(db, enlist(db, queues=["other"]), 1, "other")
    settle(db, *held)
    assert flow.states(db) == {"a": DONE, "b": WAITING}
    execute(db, jobs.cancel(blocker))
    db.execute("update pgqueue.arrivals set again_at = null")
    db.execute("select pgqueue.bound_queue('default')")
    look(db)
    assert flow.states(db)["b"] is READY


def test_a_gate_with_damage_is_mended(db: Conn) -> None:
    flow = chord(db, 3)
    run(db, flow, "m1")
    db.execute("delete from pgqueue.jobs where id = %s", [flow.jobs["m3"]])
    run(db, flow, "m2")
    look(db)
    assert flow.states(db)["then"] is WAITING
    assert db.execute("select pgqueue.mend_workflow(%s)", [flow.id]).fetchone() == (1,)
    look(db)
    assert flow.states(db)["then"] is READY


def test_a_deadline_cancels_what_has_not_ended(db: Conn) -> None:
    late, early = chord(db, 2, end=True, deadline=0.0), chain(db, 1, deadline=0.0)
    (held,) = [each for each in claim(db, enlist(db), 10) if each.id == early.jobs["1"]] or taken(db, early, "1")
    settle(db, held)
    expire(db, *[row[0] for row in db.execute("select id from pgqueue.workers").fetchall()])
    reap(db)
    for _ in range(3):
        reap(db)
    assert [late.states(db)[name] for name in ("m1", "m2", "then", "end")] == [CANCELLED, CANCELLED, CANCELLED, READY]
    asked = db.execute("select name, asked, asked_why, settled_at is not null from pgqueue.workflows order by asked")
    assert asked.fetchall() == [("flow", "cancel", "its deadline has passed", True), ("flow", None, None, False)]


def test_cancel_tells_what_runs_and_releases_nothing_more(db: Conn) -> None:
    flow = write(
        db,
        {"a": job(on=[1, 3], off=[3]), "b": job(1, on=[2, 3], off=[3]), "c": job(2, on=[3], off=[3]), "end": job(3)},
        {1: 1, 2: 1, 3: 3},
        {1: {}, 2: {}, 3: {}, 4: {"callback": True}},
    )
    (held,) = taken(db, flow, "a")
    assert db.execute("select pgqueue.cancel_workflow(%s, 1)", [flow.id]).fetchone() == (2,)
    assert count(db, "cancellations") == 1
    settle(db, held)
    assert cancel_all(db, flow) == 1 or flow.states(db)["c"] is CANCELLED
    assert flow.states(db) == {"a": DONE, "b": CANCELLED, "c": CANCELLED, "end": READY}
    assert db.execute("select settled_at is not null from pgqueue.workflows").fetchone() == (True,)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        retry_all(db, flow)


def test_cancel_lets_callbacks_behind_the_dead_end_too(db: Conn) -> None:
    flow = chord(db, 2, end=True)
    bury(db, flow, "m1")
    assert cancel_all(db, flow) > 0
    assert flow.states(db) == {"m1": DEAD, "m2": CANCELLED, "then": CANCELLED, "end": READY}
    run(db, flow, "end")
    assert count(db, "gates") == 0


def test_a_workflow_is_pruned_as_a_whole(db: Conn) -> None:
    done, live, failed = chord(db, 3), chord(db, 2), chord(db, 1)
    run(db, done, "m1", "m2", "m3")
    run(db, done, "then")
    run(db, live, "m1")
    bury(db, failed, "m1")
    db.execute("update pgqueue.dead_jobs set died_at = now() - interval '40 days'")
    db.execute("update pgqueue.attempts set finished_at = now() - interval '40 days'")
    for _ in range(60):
        db.execute("select pgqueue.prune('7 days', '30 days', 100)")
        db.execute("update pgqueue.workflows set ended_at = now() - interval '8 days' where isfinite(ended_at)")
    assert db.execute("select id from pgqueue.workflows where id = any (%s)", [[live.id]]).fetchall() == [(live.id,)]
    # Whether the failed one was met depends on its ids, which are new; it is asked for here.
    db.execute("update pgqueue.workflows set ended_at = '-infinity' where id = %s", [failed.id])
    for _ in range(10):
        db.execute("select pgqueue.prune('7 days', '30 days', 100)")
    left = {
        table: {row[0] for row in db.execute(f"select distinct workflow_id from pgqueue.{table}").fetchall()}
        for table in ("jobs", "waiting", "gates", "nodes", "attempts", "results", "dead_jobs")
    }
    assert left == {
        "jobs": {live.id}, "waiting": {live.id}, "gates": {live.id}, "nodes": {live.id}, "attempts": {live.id},
        "results": {live.id}, "dead_jobs": set(),
    }  # fmt: skip
    assert count(db, "workflows") == 1


def test_all_tables_of_jobs_have_the_same_columns_of_workflows(db: Conn) -> None:
    def columns(table: str) -> set[str]:
        sql = "select column_name from information_schema.columns where table_schema = 'pgqueue' and table_name = %s"
        return {row[0] for row in db.execute(sql, [table]).fetchall()}

    of_members = {"workflow_id", "node", "success_links", "failure_links"}
    assert of_members <= columns("jobs") & columns("dead_jobs") & columns("waiting")
    # What only a claim, a key, a lane or an end writes.
    later = {
        "expires_at", "started_at", "worker", "claim", "attempt", "crashes", "unique_key", "start_key", "avoid_host",
        "lane", "lined", "hold", "fallen_from", "own_terms",
    }  # fmt: skip
    assert columns("jobs") - later == columns("waiting") - {"gate", "inputs", "delay", "ttl"}
    assert columns("jobs") - columns("dead_jobs") == {"expires_at", "worker", "avoid_host", "lane", "lined"}


def add(db: Conn, flow: flows.Flow, node: int, **members: Any) -> None:
    text = told(flow, members, {}, {})
    said = json.loads(text)
    for each in said["jobs"]:
        each["own"] = True
        del each["node"]
    db.execute("select pgqueue.add_members(%s, %s, %s)", [flow.id, node, json.dumps(said)])


def open_group(db: Conn) -> flows.Flow:
    return write(
        db,
        {"then": job(1), "end": job(2)},
        {1: 1, 2: 1},
        {1: {}, 2: {"callback": True}, 7: {"open": True, "total": 0, "success_links": [1, 2], "failure_links": [2]}},
    )


def test_an_open_group_waits_until_it_is_closed_and_all_have_ended(db: Conn) -> None:
    flow = open_group(db)
    add(db, flow, 7, a={}, b={})
    run(db, flow, "a", "b")
    assert flow.states(db)["then"] is WAITING
    add(db, flow, 7, c={})
    assert db.execute("select pgqueue.close_group(%s, 7)", [flow.id]).fetchone() == (True,)
    assert db.execute("select pgqueue.close_group(%s, 7)", [flow.id]).fetchone() == (False,)
    assert flow.states(db)["then"] is WAITING
    run(db, flow, "c")
    assert (flow.states(db)["then"], flow.states(db)["end"]) == (READY, READY)
    assert wrong(db, flow) == {}
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="closed"), db.transaction():
        add(db, flow, 7, d={})


def test_an_open_group_without_members_ends_when_it_is_closed(db: Conn) -> None:
    flow = open_group(db)
    db.execute("select pgqueue.close_group(%s, 7)", [flow.id])
    assert flow.states(db) == {"then": READY, "end": READY}


def test_an_open_group_is_closed_when_its_workflow_is_cancelled(db: Conn) -> None:
    flow = open_group(db)
    add(db, flow, 7, a={})
    cancel_all(db, flow)
    assert flow.states(db) == {"then": CANCELLED, "end": READY, "a": CANCELLED}


def graft(flow: flows.Flow, members: dict[str, Any], gates: dict[int, Any] | None = None) -> str:
    said = json.loads(told(flow, members, gates or {}, {}))
    for each in said["jobs"]:
        del each["node"]
        each["own"] = True
    return json.dumps({"grafts": [said]})


@pytest.mark.parametrize("how", ["succeed", "complete", "together"])
def test_what_a_member_adds_as_it_succeeds_is_waited_for_too(db: Conn, how: str) -> None:
    flow = chord(db, 2, end=True)
    first, second = taken(db, flow, "m1", "m2")
    brings = graft(flow, {"x": {"store_result": True}, "y": {"store_result": True}})
    match how:
        case "succeed":
            assert execute(db, jobs.succeeding(first.worker, first.id, first.claim, "1", brings))
        case "complete":
            assert execute(db, jobs.complete(first, "1", brings))
        case "together":
            sql = "select pgqueue.complete_together(%s, %s, %s, %s, %s)"
            late = db.execute(sql, [first.worker, [first.id], [first.claim], ["1"], [brings]]).fetchone()
            assert late == ([],)
    settle(db, second)
    assert (flow.states(db)["then"], flow.states(db)["end"]) == (WAITING, WAITING)
    # It adds another one, in turn.
    (x,) = taken(db, flow, "x")
    assert execute(db, jobs.succeeding(x.worker, x.id, x.claim, "2", graft(flow, {"z": {"store_result": True}})))
    run(db, flow, "y", result="3")
    assert flow.states(db)["then"] is WAITING
    run(db, flow, "z", result="4")
    assert (flow.states(db)["then"], flow.states(db)["end"]) == (READY, READY)
    assert args(db, flow.jobs["then"]) == {"all": [1, 2, 3, 4]}
    assert wrong(db, flow) == {}


def test_what_a_success_would_close_stays_open_until_all_that_it_added_have_succeeded(db: Conn) -> None:
    flow = write(db, {"a": job(on=[-1, 2], off=[1]), "repair": job(1), "then": job(2)}, {1: 1, 2: 1})
    (held,) = taken(db, flow, "a")
    assert execute(db, jobs.succeeding(held.worker, held.id, held.claim, None, graft(flow, {"x": {}, "y": {}})))
    assert flow.states(db)["repair"] is WAITING
    run(db, flow, "x")
    assert flow.states(db)["repair"] is WAITING
    run(db, flow, "y")
    assert flow.states(db)["repair"] is CANCELLED
    assert flow.states(db)["then"] is READY
    assert count(db, "gates") == 0


def test_a_graft_has_steps_of_its_own(db: Conn) -> None:
    flow = chord(db, 1)
    (held,) = taken(db, flow, "m1")
    said = json.loads(told(flow, {"p": job(on=[1]), "q": job(1, inputs={"x": "$p"})}, {1: 1}, {1: {}, 2: {}}))
    said["jobs"][1]["own"] = True
    said["jobs"][1]["inputs"] = {"x": str(flow.jobs["p"])}
    brings = json.dumps({"grafts": [said]})
    assert execute(db, jobs.succeeding(held.worker, held.id, held.claim, "1", brings))
    assert flow.states(db) == {"m1": DONE, "then": WAITING, "p": READY, "q": WAITING}
    run(db, flow, "p")
    run(db, flow, "q")
    assert flow.states(db)["then"] is READY
    numbers = db.execute("select node from pgqueue.nodes where workflow_id = %s order by node", [flow.id]).fetchall()
    assert numbers[-1][0] > 1_000_000


def test_a_graft_of_a_job_that_is_in_no_workflow_begins_one(db: Conn) -> None:
    held = factories.claim_one(db)
    brought = json.dumps({"grafts": [{"jobs": [{"target": factories.TARGET, "own": True}]}]})
    assert execute(db, jobs.succeeding(held.worker, held.id, held.claim, None, brought))
    assert execute(db, jobs.succeeding(held.worker, held.id, held.claim, None, brought))
    sql = """
    select w.name, node.name, node.total, count(*)
    from pgqueue.jobs as job
    join pgqueue.workflows as w on w.id = job.workflow_id
    join pgqueue.nodes as node on node.workflow_id = job.workflow_id and node.node = job.node
    group by 1, 2, 3
    """
    assert db.execute(sql).fetchall() == [(factories.TARGET, factories.TARGET, 1, 1)]


def test_a_dead_member_counts_for_those_who_only_want_its_end(db: Conn) -> None:
    flow = write(db, {"a": job(on=[1], off=[1]), "b": job(on=[1], off=[1]), "then": job(1)}, {1: 2})
    bury(db, flow, "a")
    run(db, flow, "b")
    assert flow.states(db)["then"] is READY
    retry_all(db, flow)
    run(db, flow, "a", "then")
    assert outcomes(db, flow.jobs["then"]) == ["succeeded"]


@pytest.mark.parametrize(
    "said",
    [
        {"name": "\u202e\x07" * 20, "unique_key": "'; drop table pgqueue.jobs; --"},
        {"name": "𝄞" * 300, "unique_key": "\\x00 $1 %s {}"},
    ],
)
def test_hostile_texts_stay_what_they_are(db: Conn, said: dict[str, str]) -> None:
    nasty = ['"', "\\", "'); --", "\u2028", "𝄞", "$1", "%s"]
    flow = write(
        db, {"a": job(on=[1]), "b": job(1, args={text: text for text in nasty}, inputs={"x\"'": 1})}, {1: 1}, **said
    )
    run(db, flow, "a")
    assert args(db, flow.jobs["b"]) == {**{text: text for text in nasty}, "x\"'": [1]}
    assert db.execute("select name, unique_key from pgqueue.workflows").fetchone() == tuple(said.values())


@pytest.mark.parametrize("links", [[99], [-99], [0], [2_147_483_647, -2_147_483_647], [1, 1, 1]])
def test_links_that_lead_nowhere_do_no_harm(db: Conn, links: list[int]) -> None:
    flow = write(db, {"a": job(on=links, off=links), "b": job(1)}, {1: 3})
    run(db, flow, "a")
    assert state(db, flow.jobs["a"]) is DONE
    assert flow.states(db)["b"] is (READY if links == [1, 1, 1] else WAITING)
    assert count(db, "arrivals") == 0


def test_a_group_within_a_group_is_waited_for_until_it_is_closed(db: Conn) -> None:
    flow = open_group(db)
    inner = {"nodes": [{"node": 1, "name": "inner", "own": True, "open": True, "total": 0}]}
    db.execute("select pgqueue.add_members(%s, 7, %s)", [flow.id, json.dumps(inner)])
    (node,) = db.execute("select node from pgqueue.nodes where name = 'inner'").fetchone() or (0,)
    add(db, flow, node, a={})
    db.execute("select pgqueue.close_group(%s, 7)", [flow.id])
    run(db, flow, "a")
    assert flow.states(db)["then"] is WAITING
    db.execute("select pgqueue.close_group(%s, %s)", [flow.id, node])
    assert flow.states(db)["then"] is READY
    assert wrong(db, flow) == {}


def test_a_workflow_is_said_in_sql(db: Conn) -> None:
    nodes = [
        {"name": "a", "target": TARGET, "args": [1.50, None], "priority": 7},
        {"name": "b", "target": TARGET, "args": {"x": {"$result": "a"}, "y": None}, "max_attempts": 3},
        {"name": "c", "target": TARGET, "args": [{"$result": "b"}, 2], "after": ["a"], "on": "end"},
    ]
    sql = "select pgqueue.enqueue_workflow('order 42', %s, unique_key => 'k')"
    (made,) = db.execute(sql, [json.dumps(nodes)]).fetchone() or (None,)
    assert db.execute(sql, [json.dumps(nodes)]).fetchone() == (made,)
    rows = db.execute("select name, job_id from pgqueue.nodes where workflow_id = %s", [made]).fetchall()
    flow = flows.Flow(made, dict(rows))
    assert flow.states(db) == {"a": READY, "b": WAITING, "c": WAITING}
    run(db, flow, "a", result='{"n": 1.0}')
    (held,) = taken(db, flow, "b")
    assert (json.loads(held.args), held.max_attempts) == ({"y": None, "x": {"n": 1.0}}, 3)
    fail(db, held, None)
    assert args(db, flow.jobs["c"]) == [None, 2]
    assert flow.states(db)["c"] is READY
    assert wrong(db, flow) == {}


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ({}, "nodes are a JSON array"),
        ([{"target": TARGET}], "no name of its own"),
        ([{"name": "a", "target": TARGET}] * 2, "no name of its own"),
        ([{"name": "a", "target": TARGET, "after": ["b"]}], "waits for 'b', which does not stand before it"),
        ([{"name": "a", "target": TARGET, "on": "death"}], "waits for death"),
        ([{"name": "a", "target": "no target"}], "target must read"),
    ],
)
def test_a_workflow_that_is_wrong_is_refused_with_what_is_wrong(db: Conn, nodes: Any, said: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=said):
        db.execute("select pgqueue.enqueue_workflow('flow', %s)", [json.dumps(nodes)])
    assert count(db, "workflows") == 0
