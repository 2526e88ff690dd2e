"""Two tenants by SQL: whatever one tries, the other's jobs are not there for it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import errors

import pgqueue
from pgqueue.job import Claim, NewJob
from tests import factories
from tests.factories import TARGET, claim, enlist, fail, settle
from tests.tenants.conftest import Conn, Town

# Those that say whose each row is. Of what belongs to a job, a workflow, a schedule or a key, that is told by these.
SAY = ("jobs", "dead_jobs", "attempts", "waiting", "workflows", "schedules", "feeds", "operations", "audit")


def add(conn: Conn, args: Any = None, **options: Any) -> UUID:
    return pgqueue.enqueue(conn, TARGET, args, **options).id


def ids(conn: Conn, table: str = "pgqueue.job", column: str = "id") -> set[UUID]:
    return {row[0] for row in conn.execute(f"select {column} from {table}")}


def tenants(conn: Conn, table: str) -> set[str | None]:
    return {row[0] for row in conn.execute(f"select tenant from pgqueue.{table}")}


def taken(worker: Conn) -> list[Claim]:
    return claim(worker, enlist(worker), 100)


def died(worker: Conn, job_id: UUID) -> None:
    """Have it fail for good."""
    for held in taken(worker):
        if held.id == job_id:
            fail(worker, held, None)
        else:
            factories.release(worker, held, started=False)


def test_a_new_job_is_of_the_tenant_of_its_session(acme: Conn, globex: Conn, town: Town) -> None:
    ours = [add(acme), add(acme, unique_key="k"), add(acme, job_id=uuid4()), *many(acme, 3), *many(acme, 300)]
    theirs = add(globex)
    assert ids(acme) == {*ours}
    assert ids(globex) == {theirs}
    assert tenants(town.owner, "jobs") == {"acme", "globex"}


def many(conn: Conn, count: int) -> list[UUID]:
    return pgqueue.enqueue_many(conn, [NewJob(TARGET, [number]) for number in range(count)])


def test_one_way_or_another_a_tenant_enqueues_for_itself_alone(acme: Conn, globex: Conn, town: Town) -> None:
    for statement in (
        "insert into pgqueue.jobs (id, target, tenant) values (pgqueue.uuid7(), 'a:b', 'globex')",
        "insert into pgqueue.jobs (id, target, tenant) values (pgqueue.uuid7(), 'a:b', null)",
        "insert into pgqueue.dead_jobs (id, run_at, created_at, claim, priority, attempt, crashes, queue, target, args,"
        " reason, tenant) values (pgqueue.uuid7(), now(), now(), 1, 5, 1, 0, 'q', 'a:b', '{}', 'x', 'globex')",
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, tenant)"
        " values (pgqueue.uuid7(), 1, 1, 'succeeded', 'q', 'a:b', 'globex')",
        "insert into pgqueue.workflows (id, name, tenant) values (pgqueue.uuid7(), 'w', 'globex')",
        "insert into pgqueue.schedules (name, every, target, tenant) values ('s', 60, 'a:b', 'globex')",
        "insert into pgqueue.audit (who, via, action, tenant) values ('ann', 'x', 'y', 'globex')",
        "insert into pgqueue.tenant_roles values (current_user, 'globex')",
    ):
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            acme.execute(statement)
    add(town.owner)
    for name in ("globex", "", "*", "acme' or true --"):
        acme.execute("select set_config('pgqueue.tenant', %s, false)", [name])
        for act in (lambda: add(acme), lambda: ids(acme), lambda: acme.execute("delete from pgqueue.jobs")):
            with pytest.raises(errors.InsufficientPrivilege, match=r"acts for a tenant|may not act for the tenant"):
                act()
    assert tenants(town.owner, "jobs") == {None}


def test_a_row_is_given_to_no_other_tenant(acme: Conn, town: Town) -> None:
    add(acme)
    for tenant in ("'globex'", "null"):
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            acme.execute(f"update pgqueue.jobs set tenant = {tenant}")
    assert tenants(town.owner, "jobs") == {"acme"}


def test_nothing_that_is_done_by_id_reaches_another_tenants_job(
    acme: Conn, globex: Conn, worker: Conn, town: Town
) -> None:
    waits, dead = add(acme), add(acme)
    died(worker, dead)
    before = everything(town.owner)
    for job_id in (waits, dead):
        assert globex.execute("select pgqueue.cancel(%s)", [job_id]).fetchone() == (None,)
        assert globex.execute("select pgqueue.retry(%s)", [job_id]).fetchone() == (None,)
        assert globex.execute("select pgqueue.signal(%s, 'go')", [job_id]).fetchone() == (None,)
        assert globex.execute("select pgqueue.fork(%s, 'step')", [job_id]).fetchone() == (None,)
        assert globex.execute("select pgqueue.manual_done(%s, '1')", [job_id]).fetchone() == ((None, "f"),)
        assert globex.execute("select * from pgqueue.explain(%s)", [job_id]).fetchall() == []
        assert globex.execute("select pgqueue.set_priority(%s, 9::smallint)", [job_id]).fetchone() == (None,)
        with pytest.raises(pgqueue.JobNotFound):
            pgqueue.get_job(globex, job_id)
        with pytest.raises(errors.InvalidParameterValue):
            globex.execute("select pgqueue.add_follow_up(%s, 'end', 'a:b')", [job_id])
    globex.execute("select pgqueue.retry_dead(null, null, null, 100)")
    globex.execute("update pgqueue.jobs set args = '[\"mine\"]'")
    globex.execute("delete from pgqueue.jobs")
    globex.execute("delete from pgqueue.attempts")
    globex.execute("delete from pgqueue.dead_jobs")
    assert everything(town.owner) == before


def everything(conn: Conn) -> list[Any]:
    return [
        conn.execute(f"select t::text from pgqueue.{table} as t order by 1").fetchall()
        for table in ("jobs", "attempts", "dead_jobs", "results", "signals", "cancellations", "lineage")
    ]


def test_a_claim_of_ones_own_takes_no_other_tenants_job(acme: Conn, globex: Conn) -> None:
    add(acme)
    mine = add(globex)
    # It has a worker's rights on every function, but cannot write itself down as one.
    with pytest.raises(errors.InsufficientPrivilege):
        enlist(globex)
    assert claim(globex, factories.worker_id(), 10) == []
    assert ids(globex) == {mine}


def test_the_same_unique_key_is_another_one_for_each_tenant(acme: Conn, globex: Conn, town: Town) -> None:
    for options in ({}, {"unique_until": "start"}, {"unique_for": 60}, {"on_conflict": "replace"}):
        key = f"receipt {options}"
        first = pgqueue.enqueue(acme, TARGET, [1], unique_key=key, **options)
        second = pgqueue.enqueue(globex, TARGET, [2], unique_key=key, **options)
        assert first.created
        assert second.created
        assert first.id != second.id
        assert pgqueue.enqueue(acme, TARGET, [3], unique_key=key, **options).id == first.id
        assert pgqueue.enqueue(globex, TARGET, [4], unique_key=key, **options).id == second.id
    # Of a batch, too, with an id besides.
    given = uuid4()
    made = pgqueue.enqueue_many(globex, [NewJob(TARGET, unique_key="receipt {}", job_id=given), NewJob(TARGET)])
    assert made[0] != given
    assert ids(town.owner) == ids(acme) | ids(globex)


def test_nobody_keeps_a_key_from_another_tenant(acme: Conn, globex: Conn, town: Town) -> None:
    stranger = town.connect("stranger")
    for conn, tenant in ((globex, "'globex'"), (stranger, "null")):
        for column in ("unique_key", "start_key, unique_key"):
            values = ", ".join(["'acme::k'"] * column.count("key"))
            with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
                conn.execute(
                    f"insert into pgqueue.jobs (id, target, tenant, {column})"
                    f" values (pgqueue.uuid7(), 'a:b', {tenant}, {values})"
                )
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            conn.execute("insert into pgqueue.unique_windows values ('acme::k', now() + '1 day', pgqueue.uuid7())")
    mine = add(globex)
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        globex.execute("update pgqueue.jobs set unique_key = 'acme::k' where id = %s", [mine])
    assert pgqueue.enqueue(acme, TARGET, unique_key="k").created


def test_an_id_that_another_tenants_job_has_or_had_shows_nothing_of_it(
    acme: Conn, globex: Conn, worker: Conn, town: Town
) -> None:
    ended = add(acme, store_result=True)
    (held,) = taken(worker)
    worker.execute("select pgqueue.complete(%s, %s, %s, '\"secret\"')", [held.worker, held.id, held.claim])
    live = add(acme)
    assert acme.execute("select result from pgqueue.results").fetchall() == [("secret",)]
    with pytest.raises(errors.UniqueViolation, match="is taken"):
        add(globex, job_id=live)
    with pytest.raises(errors.UniqueViolation):
        globex.execute("insert into pgqueue.jobs (id, target) values (%s, 'a:b')", [live])
    # What has ended is nowhere to be seen: the same id is another job, and shows nothing of the first.
    assert pgqueue.enqueue(globex, TARGET, job_id=ended).created
    for table in ("results", "job_logs", "progress", "checkpoints", "attempts"):
        assert globex.execute(f"select from pgqueue.{table}").fetchall() == []
    assert pgqueue.get_job(acme, ended).state == "succeeded"
    assert acme.execute("select result from pgqueue.results").fetchall() == [("secret",)]


def test_what_is_left_of_a_job_keeps_its_tenant_whatever_became_of_it(
    acme: Conn, globex: Conn, worker: Conn, town: Town
) -> None:
    dead, cancelled, done = add(acme), add(acme), add(acme)
    died(worker, dead)
    assert acme.execute("select pgqueue.cancel(%s)", [cancelled]).fetchone() == ("cancelled",)
    (held,) = taken(worker)
    settle(worker, held)
    assert tenants(town.owner, "attempts") == tenants(town.owner, "dead_jobs") == {"acme"}
    # Who sees all revives it, and it is the tenant's still.
    assert worker.execute("select pgqueue.retry(%s)", [dead]).fetchone() == ("ready",)
    assert tenants(town.owner, "jobs") == {"acme"}
    assert ids(acme) == {dead, cancelled, done}
    assert ids(globex) == set()


@pytest.mark.parametrize("how", ["lost", "released", "buried while it waited", "fallen back"])
def test_each_way_an_attempt_ends_keeps_the_tenant(acme: Conn, worker: Conn, town: Town, how: str) -> None:
    job_id = add(acme)
    if how == "buried while it waited":
        acme.execute("select pgqueue.bury_waiting(%s, 'buried', null, 'by hand')", [job_id])
    else:
        (held,) = taken(worker)
    if how == "lost":
        worker.execute("update pgqueue.jobs set max_attempts = 1")
        factories.expire(worker, held.worker)
        factories.reap(worker)
    elif how == "released":
        factories.release(worker, held)
    elif how == "fallen back":
        factories.fall(worker, held)
    assert tenants(town.owner, "attempts") == {"acme"}
    assert {row[0] for row in town.owner.execute("select tenant from pgqueue.job")} == {"acme"}
    assert ids(acme) == {job_id}


def test_what_follows_a_job_is_its_tenants_although_the_worker_enqueues_it(
    acme: Conn, globex: Conn, worker: Conn, town: Town
) -> None:
    add(globex, unique_key="after")
    add(acme, on_success=NewJob("a:next", unique_key="after"), on_end="a:last")
    for held in taken(worker):
        if held.target == TARGET:
            settle(worker, held)
    assert {row[0] for row in acme.execute("select target from pgqueue.job")} == {TARGET, "a:next", "a:last"}
    assert {row[0] for row in globex.execute("select target from pgqueue.job")} == {TARGET}
    assert town.owner.execute("select unique_key, tenant from pgqueue.jobs where target = 'a:next'").fetchall() == [
        ("acme::after", "acme")
    ]
    assert len(acme.execute("select from pgqueue.lineage").fetchall()) == 2
    assert globex.execute("select from pgqueue.lineage").fetchall() == []


def test_what_a_job_brings_and_cannot_be_written_is_dead_for_its_own_tenant(
    acme: Conn, worker: Conn, town: Town
) -> None:
    acme.execute("select pgqueue.add_follow_up(%s, 'end', 'a:next', queue => 'full')", [add(acme)])
    town.owner.execute("select pgqueue.set_max_size('full', 1, 'raise')")
    town.owner.execute("select pgqueue.enqueue('a:b', queue => 'full')")
    for held in taken(worker):
        if held.target == TARGET:
            settle(worker, held)
    assert acme.execute("select target, reason from pgqueue.dead_jobs").fetchall() == [("a:next", "unwritable")]
    town.owner.execute("select pgqueue.set_max_size('full', null, null)")


def test_workflows_are_their_tenants_from_the_first_job_to_the_last(
    acme: Conn, globex: Conn, worker: Conn, town: Town
) -> None:
    nodes = json.dumps([{"name": "a", "target": "a:a"}, {"name": "b", "target": "a:b", "args": [{"$result": "a"}]}])
    made = [
        conn.execute("select pgqueue.enqueue_workflow('w', %s, 'same key')", [nodes]).fetchone()
        for conn in (acme, globex)
    ]
    (ours,), (theirs,) = made
    assert ours != theirs
    assert tenants(town.owner, "waiting") == {"acme", "globex"}
    for held in taken(worker):
        worker.execute("select pgqueue.complete(%s, %s, %s, '1')", [held.worker, held.id, held.claim])
    assert ids(acme, "pgqueue.workflow") == {ours}
    assert len(ids(acme, "pgqueue.job")) == len(ids(globex, "pgqueue.job")) == 2
    for conn in (acme, globex):
        assert len(conn.execute("select from pgqueue.nodes").fetchall()) == 2
        assert len(conn.execute("select from pgqueue.workflow_nodes").fetchall()) == 2
    for call in ("cancel_workflow", "retry_workflow", "mend_workflow"):
        assert not globex.execute(f"select pgqueue.{call}(%s)", [ours]).fetchone()[0]
    with pytest.raises(errors.UniqueViolation, match="is taken"):
        globex.execute("select pgqueue.enqueue_workflow('w', %s, id => %s)", [nodes, ours])
    assert tenants(town.owner, "jobs") == tenants(town.owner, "attempts") == {"acme", "globex"}


def test_a_schedule_of_a_tenant_fires_for_it(acme: Conn, globex: Conn, worker: Conn, town: Town) -> None:
    for name, conn in (("acme.nightly", acme), ("globex.nightly", globex)):
        conn.execute("select pgqueue.schedule(%s, 'a:tick', every => '1 hour', unique_key => 'tick')", [name])
    assert ids(acme, "pgqueue.schedules", "name") == {"acme.nightly"}
    for name in ("acme.nightly", "globex.nightly"):
        worker.execute("select pgqueue.run_schedule(%s)", [name])
    assert globex.execute("select pgqueue.run_schedule('acme.nightly')").fetchone() == (None,)
    assert [row[0] for row in acme.execute("select schedule from pgqueue.ticks")] == ["acme.nightly"]
    assert len(ids(acme)) == len(ids(globex)) == 1
    # A name that another tenant has is refused, and says nothing of what has it.
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        globex.execute("select pgqueue.schedule('acme.nightly', 'evil:task', every => '1 hour')")


def test_the_worker_fires_schedules_of_several_tenants_at_once(acme: Conn, globex: Conn, worker: Conn) -> None:
    for name, conn in (("a", acme), ("g", globex)):
        conn.execute("select pgqueue.schedule(%s, 'a:tick', every => '1 hour')", [name])
    worker.execute("select pgqueue.schedule('n', 'a:tick', every => '1 hour')")
    worker.execute(
        "select pgqueue.fire(array_agg(s.name order by s.name), array_agg(s.next_at order by s.name),"
        " array_agg(now() + interval '1 hour'), 'x', '{1,2,3}', array_agg(s.next_at order by s.name), '{due,due,due}')"
        " from pgqueue.schedules as s"
    )
    assert len(ids(acme)) == len(ids(globex)) == 1
    assert sorted(str(row[0]) for row in worker.execute("select tenant from pgqueue.jobs")) == [
        "None",
        "acme",
        "globex",
    ]


def test_what_is_done_once_is_done_once_for_each_tenant(acme: Conn, globex: Conn, worker: Conn) -> None:
    once = "select standing, value from pgqueue.once('charge:42')"
    assert acme.execute(once).fetchone() == ("first", None)
    acme.execute("select pgqueue.keep_value('default', 'charge:42', '\"secret\"')")
    assert acme.execute(once).fetchone() == ("done", "secret")
    assert globex.execute(once).fetchone() == ("first", None)
    assert len(globex.execute("select from pgqueue.effect").fetchall()) == 1
    # A worker asks for a job, on a connection that acts for nobody.
    add(globex)
    (held,) = taken(worker)
    asked = worker.execute(
        "select standing, value from pgqueue.enter_effect('default', 'charge:42', 'reserved', '1 day', 1, false,"
        " %s, %s, %s, 1, 'a:b')",
        [held.id, held.worker, held.claim],
    ).fetchone()
    assert asked == ("done", None)


def test_no_count_of_one_tenant_tells_of_another(acme: Conn, globex: Conn, worker: Conn, town: Town) -> None:
    for _ in range(3):
        add(acme, queue="secret-plans")
    add(globex)
    worker.execute("select pgqueue.note_depths()")
    worker.execute(
        "insert into pgqueue.causes (cause, target, error) values ('c', 'acme:pay', 'card 4111 of acme refused')"
    )
    assert [row[0] for row in globex.execute("select queue from pgqueue.queue_stats")] == ["default"]
    assert globex.execute("select sum(ready + scheduled) from pgqueue.queue_stats").fetchone() == (1,)
    assert globex.execute("select * from pgqueue.queue_names()").fetchall() == [("default",)]
    for table in HIDDEN:
        assert globex.execute(f"select from pgqueue.{table}").fetchall() == [], table


HIDDEN = (
    "tallies", "depths", "causes", "worker_reports", "worker_dumps", "alerts", "alert_messages", "alert_channels",
    "alert_rules", "meters", "tenant_roles",
)  # fmt: skip


def test_no_function_of_ones_own_looks_into_rows_that_it_is_not_shown(acme: Conn, globex: Conn, town: Town) -> None:
    add(acme, ["secret"])
    seen: list[str] = []
    town.owner.execute("grant create on schema public to " + town.roles["globex"])
    globex.execute(
        "create function public.peek(text) returns boolean language plpgsql cost 0.0000001"
        " as $$ begin raise notice '%', $1; return true; end $$"
    )
    globex.add_notice_handler(lambda notice: seen.append(notice.message_primary or ""))
    assert globex.execute("select from pgqueue.jobs where public.peek(args::text)").fetchall() == []
    assert globex.execute("select from pgqueue.job where public.peek(args::text)").fetchall() == []
    assert seen == []
    globex.execute("drop function public.peek")
    town.owner.execute("analyze pgqueue.jobs")
    assert globex.execute("select from pg_stats where schemaname = 'pgqueue' and tablename = 'jobs'").fetchall() == []


def test_who_acts_for_nobody_sees_what_is_nobodys(acme: Conn, town: Town) -> None:
    add(acme)
    stranger = town.connect("stranger")
    mine = add(stranger)
    assert ids(stranger) == {mine}
    stranger.execute("set pgqueue.tenant = 'acme'")
    with pytest.raises(errors.InsufficientPrivilege, match="may not act for the tenant 'acme'"):
        ids(stranger)
    stranger.execute("reset pgqueue.tenant")
    job = add(acme)
    # Nor does it write beside a job that it does not see.
    for table, (columns, values) in ROWS.items():
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            stranger.execute(f"insert into pgqueue.{table} ({columns}) values ({values})", {"id": job})


def test_a_role_that_may_act_for_any_acts_for_the_one_it_says(acme: Conn, town: Town) -> None:
    conn = town.connect("shared", autocommit=False)
    pgqueue.tenant(conn, "acme")
    ours = add(conn)
    conn.commit()
    # The next transaction acts for nobody.
    assert ids(conn) == set()
    conn.commit()
    pgqueue.tenant(conn, "initech")
    assert ids(conn) == set()
    assert ids(acme) == {ours}


def test_rights_through_a_group_bind_as_those_of_ones_own(town: Town) -> None:
    group, member = town.roles["acme"], town.roles["stranger"]
    town.owner.execute(f"grant {group} to {member}")
    try:
        conn = town.connect("stranger", "acme")
        assert add(conn) in ids(conn)
        with pytest.raises(errors.InsufficientPrivilege, match="acts for a tenant"):
            ids(town.connect("stranger"))
    finally:
        town.owner.execute(f"revoke {group} from {member}")


def test_operators_of_a_tenant_cannot_steer_what_all_share(acme: Conn, town: Town) -> None:
    for call in (
        "pause_queue('default')", "set_queue('mail', priority => 9)", "set_route('a.*', 'evil')",
        "set_limit('queue', 'default', 1)",
    ):  # fmt: skip
        with pytest.raises(errors.Error):
            acme.execute(f"select pgqueue.{call}")
    assert town.owner.execute("select from pgqueue.queues").fetchall() == []
    # A bulk action that workers go on with would reach the jobs of all.
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        acme.execute(
            "insert into pgqueue.operations (kind, filter, detached, who, via) values ('purge', '', true, 'ann', 'cli')"
        )


def test_whoever_sees_all_sees_whose_each_is(acme: Conn, globex: Conn, worker: Conn) -> None:
    add(acme)
    add(globex)
    assert {row[0] for row in worker.execute("select tenant from pgqueue.job")} == {"acme", "globex"}


def test_every_table_is_behind_a_policy_or_hidden_and_every_view_asks_as_its_reader(town: Town) -> None:
    open_tables = town.owner.execute(
        "select relname from pg_class where relnamespace = 'pgqueue'::regnamespace and relkind in ('r', 'p')"
        " and not relrowsecurity and relname not in ('alembic_version', 'roles')"
    ).fetchall()
    assert open_tables == []
    views = town.owner.execute(
        "select relname from pg_class where relnamespace = 'pgqueue'::regnamespace and relkind = 'v'"
        " and not coalesce('security_invoker=true' = any (reloptions), false)"
    ).fetchall()
    assert views == []
    named = town.owner.execute(
        "select c.relname, array_agg(p.polname::text order by p.polname) from pg_policy as p"
        " join pg_class as c on c.oid = p.polrelid where c.relnamespace = 'pgqueue'::regnamespace group by 1"
    )
    policies = dict(named)
    assert {name for name, found in policies.items() if found == ["all_tenants"]} == {*HIDDEN, *UNSHARED}


# What only those need who see all.
UNSHARED: set[str] = set()


@pytest.mark.parametrize(
    "table", ["results", "job_logs", "progress", "checkpoints", "steps", "signals", "waits", "revisions", "manual_jobs"]
)
def test_what_belongs_to_a_job_is_seen_and_written_by_its_tenant_alone(
    acme: Conn, globex: Conn, town: Town, table: str
) -> None:
    job_id = add(acme)
    columns, values = ROWS[table]
    statement = f"insert into pgqueue.{table} ({columns}) values ({values})"
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        globex.execute(statement, {"id": job_id})
    acme.execute(statement, {"id": job_id})
    if table in ("signals", "waits"):
        key = "scope" if table == "signals" else "job_id"
        mine = add(globex)
        globex.execute(statement, {"id": mine})
        with pytest.raises(errors.Error, match=r"row-level security|duplicate key"):
            globex.execute(f"update pgqueue.{table} set {key} = %s", [job_id])
        globex.execute(f"delete from pgqueue.{table}")
    assert len(acme.execute(f"select from pgqueue.{table}").fetchall()) == 1
    assert globex.execute(f"select from pgqueue.{table}").fetchall() == []
    assert globex.execute(f"delete from pgqueue.{table}").rowcount == 0
    assert acme.execute(f"delete from pgqueue.{table}").rowcount == 1


ROWS = {
    "results": ("job_id, expires_at, result", "%(id)s, 'infinity', '1'"),
    "job_logs": ("job_id, at, claim, attempt, seq, level, line", "%(id)s, now(), 1, 1, 1, 'info', 'x'"),
    "progress": ("job_id, claim, attempt, since, since_done, at, done", "%(id)s, 1, 1, now(), 0, now(), 1"),
    "checkpoints": ("job_id, claim, attempt, value", "%(id)s, 1, 1, '1'"),
    "steps": ("job_id, kind, name, nth, claim", "%(id)s, 'step', 'a', 1, 1"),
    "signals": ("scope, name, payload", "%(id)s, 'go', '1'"),
    "waits": ("job_id, claim, kind, step", "%(id)s, 1, 'sleep', 'a'"),
    "revisions": ("job_id, who, old_args", "%(id)s, 'ann', '{}'"),
    "manual_jobs": ("job_id, claim, since", "%(id)s, 1, now()"),
}
