"""What workers ask is planned with tenants on as without; and what a tenant asks walks the same indexes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

import pgqueue
from pgqueue.job import Claim
from pgqueue.store import execute, jobs
from tests.factories import TARGET, enlist, epoch, fill, slots, success
from tests.store.plans import Plan, nodes, plans_of
from tests.tenants.conftest import Conn, Town


def shape(plans: list[Plan]) -> list[Any]:
    """The nodes of plans, what they scan, and by which index and conditions."""
    names = ("Node Type", "Relation Name", "Index Name", "Index Cond", "Filter", "Sort Key")
    found = [tuple(str(node.get(name)) for name in names) for plan in plans for node in nodes(plan)]
    # Without the values that are each run's own: ids, claims, moments.
    return [tuple(re.sub(r"'[^']*'|\b\d+\b", "?", text) for text in each) for each in found]


def steps(town: Town, role: str) -> list[Plan]:
    """The plans of a step that settles five jobs and claims five more, by a worker of this role."""
    # The library that tells plans is for superusers: as one who takes on the role.
    conn = town.owner
    worker = enlist(conn)
    taken: list[Claim] = []

    def step() -> None:
        done = [success(each) for each in taken]
        said = jobs.step(worker, done, slots(), timedelta(0), 5, epoch(conn, worker))
        taken[:] = execute(conn, said).claims

    def as_role() -> None:
        conn.execute(f"set role {role}")
        step()
        conn.execute("reset role")

    # The session reads the catalogs first.
    step()
    found = plans_of(conn, as_role)
    assert len(taken) == 5
    return found


@pytest.mark.parametrize("kind", ["worker", "owner"])
def test_a_step_of_a_worker_is_planned_as_without_tenants(town: Town, kind: str) -> None:
    fill(town.owner, 2_000)
    town.owner.execute("analyze pgqueue.jobs")
    role = town.roles.get(kind, "postgres")
    with_tenants = shape(steps(town, role))
    town.owner.execute("select pgqueue.set_tenants(false)")
    try:
        without = shape(steps(town, role))
    finally:
        town.owner.execute("select pgqueue.set_tenants(true, %s)", [[town.roles["worker"]]])
    assert any("jobs_claim" in node for node in with_tenants)
    assert with_tenants == without


def test_a_tenants_job_is_found_by_its_id_alone(town: Town, acme: Conn) -> None:
    fill(town.owner, 2_000)
    job = pgqueue.enqueue(acme, TARGET).id
    conn = town.owner
    conn.execute("analyze pgqueue.jobs")
    conn.execute("select set_config('pgqueue.tenant', 'acme', false)")

    def ask() -> None:
        conn.execute(f"set role {town.roles['acme']}")
        assert conn.execute("select state from pgqueue.job where id = %s", [job]).fetchone() == ("ready",)
        conn.execute("reset role")

    found = [node for plan in plans_of(conn, ask) for node in nodes(plan) if node.get("Relation Name") == "jobs"]
    assert [node["Index Name"] for node in found] == ["jobs_pkey"]
