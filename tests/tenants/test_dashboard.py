"""Users of two tenants at one dashboard, each of whom sees the jobs of one alone; and programs at its API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

import pgqueue
from pgqueue.dashboard import Dashboard, User, create_app
from pgqueue.dashboard.api import Tokens
from pgqueue.dashboard.api.tokens import hash_token, new_token
from pgqueue.dashboard.user_lines import users_of
from tests.dashboard.asking import Answer, ask
from tests.dashboard.posting import act, address, fields_of, form, post
from tests.tenants.conftest import Conn, Town

TOKENS = {tenant: new_token() for tenant in ("acme", "globex")}


@pytest.fixture
def app(town: Town) -> Iterator[Dashboard]:
    api = Tokens({name: (User(name, "admin", tenant=name), hash_token(token)) for name, token in TOKENS.items()})
    made = create_app(
        town.dsn_of("shared"),
        auth=lambda request: User("ann", "admin", tenant=request.headers.get("x-tenant")),
        actions=True,
        api=api,
    )
    yield made
    asyncio.run(made.aclose())


@pytest.fixture
def jobs(acme: Conn) -> list[UUID]:
    """Acme's: one that waits, one that is dead."""
    made = [pgqueue.enqueue(acme, "secret:plans", ["top secret"], queue="secret-plans").id for _ in range(2)]
    acme.execute("select pgqueue.bury_waiting(%s, 'buried', null, 'secret reason')", [made[1]])
    acme.execute("select pgqueue.schedule('secret-schedule', 'secret:plans', every => '1 hour')")
    acme.execute("insert into pgqueue.audit (who, via, action) values ('secret', 'cli', 'cancel')")
    return made


def seen(app: Dashboard, tenant: str, at: str) -> Answer:
    return ask(app, at, headers=[("x-tenant", tenant)])


PAGES = ("/", "/queues", "/jobs", "/running", "/dead", "/causes", "/workflows", "/schedules", "/audit", "/operations")


def test_each_user_sees_the_jobs_of_one_tenant_whoever_has_looked_before(
    app: Dashboard, jobs: list[UUID], globex: Conn
) -> None:
    pgqueue.enqueue(globex, "shop:mail")
    shown = 0
    for page in PAGES:
        # By turns: what was answered to one is not remembered for the other.
        ours, theirs, again = seen(app, "acme", page), seen(app, "globex", page), seen(app, "acme", page)
        assert (ours.status, theirs.status, again.status) == (200, 200, 200), page
        assert "secret" not in theirs.text, page
        assert ("secret" in ours.text) == ("secret" in again.text)
        shown += "secret" in ours.text
    assert shown >= 5
    for job in jobs:
        assert seen(app, "acme", f"/jobs/{job}").status == 200
        assert seen(app, "globex", f"/jobs/{job}").status == 404
    # Who has no tenant sees what is nobody's.
    assert "secret" not in ask(app, "/jobs").text


def test_nobody_acts_on_another_tenants_job(app: Dashboard, jobs: list[UUID], town: Town) -> None:
    for name, job in (("cancel", jobs[0]), ("retry", jobs[1])):
        at = address("job", name, job)
        assert form(app, at, headers=[("x-tenant", "globex")]).status == 404
        # Nor with a form that the other one was given.
        given = fields_of(form(app, at, headers=[("x-tenant", "acme")]))
        same = [("x-tenant", "globex"), ("sec-fetch-site", "same-origin")]
        assert post(app, at, given, headers=same).status in (403, 404)
    states = dict(town.owner.execute("select id, state from pgqueue.job").fetchall())
    assert [states[job] for job in jobs] == ["ready", "dead"]
    assert act(app, address("job", "cancel", jobs[0]), headers=[("x-tenant", "acme")]).status == 303
    assert town.owner.execute("select state from pgqueue.job where id = %s", [jobs[0]]).fetchone() == ("cancelled",)


def test_a_token_is_of_one_tenant(app: Dashboard, jobs: list[UUID]) -> None:
    def told(tenant: str, at: str) -> Answer:
        return ask(app, at, headers=[("authorization", f"Bearer {TOKENS[tenant]}")])

    assert "secret" in told("acme", "/api/v1/jobs").text
    assert "secret" not in told("globex", "/api/v1/jobs").text
    assert told("acme", f"/api/v1/jobs/{jobs[0]}").status == 200
    assert told("globex", f"/api/v1/jobs/{jobs[0]}").status == 404


def test_a_dashboard_whose_role_sees_all_shows_a_tenants_user_nothing(town: Town, jobs: list[UUID]) -> None:
    made = create_app(town.dsn_of("worker"), auth=lambda _: User("ann", "admin", tenant="globex"))
    answer = ask(made, "/jobs")
    assert answer.status >= 400
    assert "secret" not in answer.text
    asyncio.run(made.aclose())


def test_a_file_of_users_says_whose_each_is(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("ann:operator:hash:::acme\nbob:admin:hash\ncat:viewer:hash:mail.*:+export:globex\n")
    found = {name: user for name, (user, _) in users_of(file, "user")}
    assert [found[name].tenant for name in ("ann", "bob", "cat")] == ["acme", None, "globex"]
    assert found["ann"].queues is None
    file.write_text("ann:operator:hash:::no good\n")
    with pytest.raises(pgqueue.UsageError, match="a tenant is a name"):
        users_of(file, "user")
