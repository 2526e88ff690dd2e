"""`python -m bench.tenants`: what tenants cost, on a server of its own that it starts.

The same database by turns with tenants off and on: `enqueue`, a job a call, plain and with a unique key, and a thousand
a call; `drain`, a worker that settles a batch and claims the next; `read`, a page of the newest jobs, and one job by
its id, as a tenant that has a hundredth of all.

    python -m bench.tenants                     100,000 jobs, 5 turns
    python -m bench.tenants --scale 0.02        to see that it works
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg

import pgqueue
from pgqueue.bench.server import durable_server
from pgqueue.job import NewJob
from pgqueue.migrate import migrate
from pgqueue.tenancy import switch_off, switch_on

JOBS, TURNS = 100_000, 5
# Calls of one job, and of a thousand; jobs of a step; questions.
SINGLE, BULK, BATCH, ASKED = 2_000, 10, 50, 200
TARGET = "pgqueue.bench.tasks:nothing"
TENANTS = 100
RIGHTS = """
create role {role} login;
grant usage on schema pgqueue to {role};
grant select, insert, update, delete on all tables in schema pgqueue to {role};
grant usage on all sequences in schema pgqueue to {role};
grant execute on all functions in schema pgqueue to {role}
"""
FILL = """
insert into pgqueue.jobs (id, queue, target, args, tenant)
select pgqueue.uuid7(), 'crowd', %s, '[]', 'tenant' || n %% %s from generate_series(1, %s) as n
"""
STEP = """
select id, claim
from pgqueue.step(1, %s, %s, '{}', '{}', '{mail}', '{5}', '{2020-01-01}', %s, '0', %s, 0, 1000000, true)
where id is not null
"""
ENLIST = """
insert into pgqueue.workers (id, host, pid, executor, concurrency, expires_at)
values (1, 'here', 1, 'thread', 1, 'infinity') on conflict do nothing
"""
NOBODY = "00000000-0000-0000-0000-000000000000"
PAGE = "select id, state from pgqueue.job where state = 'ready' order by id desc limit 50"

Measures = dict[str, list[float]]


def a_second(count: int, act: Callable[[], object]) -> float:
    """How many a second."""
    began = time.perf_counter()
    act()
    return count / (time.perf_counter() - began)


def enqueued(conn: psycopg.Connection[Any], scale: float) -> dict[str, float]:
    """Jobs a second, by each way in; one transaction a call."""
    single, bulk = max(20, int(SINGLE * scale)), max(1, int(BULK * scale))
    jobs = [NewJob(TARGET, [1], queue="mail")] * 1_000

    def plain() -> None:
        for number in range(single):
            pgqueue.enqueue(conn, TARGET, [number], queue="mail")

    def keyed() -> None:
        for _ in range(single):
            pgqueue.enqueue(conn, TARGET, [1], queue="mail", unique_key=f"{time.perf_counter_ns()}")

    def many() -> None:
        for _ in range(bulk):
            pgqueue.enqueue_many(conn, jobs)

    return {
        "enqueue": a_second(single, plain),
        "enqueue, unique key": a_second(single, keyed),
        "enqueue, 1,000 a call": a_second(1_000 * bulk, many),
    }


def drained(conn: psycopg.Connection[Any]) -> float:
    """Jobs a second that a worker claims and settles until there are no more."""
    ids: list[Any] = []
    claims: list[int] = []
    done = 0
    began = time.perf_counter()
    while True:
        rows = conn.execute(STEP, [ids, claims, [NOBODY], BATCH]).fetchall()
        done += len(ids)
        if not rows and not ids:
            return done / (time.perf_counter() - began)
        ids, claims = [row[0] for row in rows], [row[1] for row in rows]


def read(conn: psycopg.Connection[Any], job_id: object, scale: float) -> dict[str, float]:
    """Milliseconds of a page of the newest jobs, and of one job."""
    asked = max(5, int(ASKED * scale))
    by_id = lambda: [conn.execute("select state from pgqueue.job where id = %s", [job_id]) for _ in range(asked)]  # noqa: E731
    page = lambda: [conn.execute(PAGE).fetchall() for _ in range(asked)]  # noqa: E731
    return {"a page, ms": 1000 / a_second(asked, page), "a job, ms": 1000 / a_second(asked, by_id)}


def turn(dsn: str, roles: dict[str, str], *, on: bool, scale: float) -> dict[str, float]:
    """One turn of all, with tenants on or off."""
    if on:
        switch_on(dsn, [roles["worker"]])
    else:
        switch_off(dsn)
    found: dict[str, float] = {}
    with psycopg.connect(f"{dsn} user={roles['tenant']}", autocommit=True) as conn:
        conn.execute("set pgqueue.tenant = 'tenant7'")
        found |= enqueued(conn, scale)
        row = conn.execute("select id from pgqueue.jobs where tenant = 'tenant7' limit 1").fetchone()
        found |= read(conn, row and row[0], scale)
    for kind in ("worker", "owner"):
        with psycopg.connect(dsn if kind == "owner" else f"{dsn} user={roles['worker']}", autocommit=True) as conn:
            if kind == "owner":
                conn.execute("select pgqueue.enqueue(%s, queue => 'mail') from generate_series(1, 5000)", [TARGET])
            found[f"drain, as {'the owner' if kind == 'owner' else 'a role that sees all'}"] = drained(conn)
    return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="a part of all numbers")
    scale = parser.parse_args().scale
    found: dict[bool, Measures] = {False: {}, True: {}}
    with durable_server() as server:
        dsn = server.dsn("postgres")
        migrate(dsn)
        roles = {"tenant": "bench_tenant", "worker": "bench_worker"}
        with psycopg.connect(dsn, autocommit=True) as conn:
            for role in roles.values():
                conn.execute(RIGHTS.format(role=role))
            conn.execute("insert into pgqueue.tenant_roles values ('bench_tenant', 'tenant7')")
            conn.execute(ENLIST)
            conn.execute(FILL, [TARGET, TENANTS, int(JOBS * scale)])
            conn.execute("vacuum (analyze) pgqueue.jobs")
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} {server.dsn('postgres')}", flush=True)
        for _ in range(TURNS):
            for on in (False, True):
                for name, value in turn(dsn, roles, on=on, scale=scale).items():
                    found[on].setdefault(name, []).append(value)
    for name in found[False]:
        off, on_ = (statistics.median(found[on][name]) for on in (False, True))
        print(f"{name:34} off {off:12,.2f}  on {on_:12,.2f}  on / off {on_ / off:.2f}")


if __name__ == "__main__":
    main()
