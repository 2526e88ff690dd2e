"""The admin shows jobs, changes none, hides secrets, and asks nothing without a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import pgqueue
from pgqueue.testing import drain
from tests.django.test_connections import TARGET

pytestmark = pytest.mark.usefixtures("fresh")
LIST = "/admin/pgqueue/job/"


@pytest.fixture
def client(shop: None) -> Any:
    """A superuser's browser."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get_or_create(username="ann", is_staff=True, is_superuser=True)[0])
    return client


def page(client: Any, address: str) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def fill() -> dict[str, Any]:
    """One job of most states."""
    from pgqueue.contrib.django.dsn import dsn_of
    from tests.django.shop.tasks import add, fail_once

    done, dead = add.enqueue(1), fail_once.enqueue(1)
    drain(dsn_of("default"), raises=False)
    waits = pgqueue.enqueue("default", TARGET, [{"password": "hunter2", "order": 42}], delay=3600)
    return {"succeeded": done.id, "dead": dead.id, "scheduled": str(waits.id)}


def test_the_list_has_jobs_of_every_state_newest_first_with_links_to_the_dashboard(client: Any) -> None:
    found = fill()
    text = page(client, LIST)
    places = [text.index(f"{LIST}{job}/change/") for job in (found["scheduled"], found["dead"], found["succeeded"])]
    assert places == sorted(places)
    assert all(f'href="/ops/queue/jobs/{job}"' in text for job in found.values())


def test_links_lead_to_another_dashboard_if_the_settings_say_so(client: Any) -> None:
    from django.test import override_settings

    found = fill()
    with override_settings(PGQUEUE={"DASHBOARD_URL": "https://ops.example.com/queue"}):
        assert f'href="https://ops.example.com/queue/jobs/{found["dead"]}"' in page(client, LIST)


@pytest.mark.parametrize("state", ["succeeded", "dead", "scheduled"])
def test_it_filters_by_state(client: Any, state: str) -> None:
    found = fill()
    text = page(client, f"{LIST}?state__exact={state}")
    assert [each for each, job in found.items() if job in text] == [state]


@pytest.mark.parametrize(
    ("term", "states"),
    [
        (lambda found: found["dead"], ["dead"]),
        (lambda found: TARGET, ["scheduled"]),
        (lambda found: "default", ["succeeded", "dead", "scheduled"]),
        (lambda found: "nothing", []),
    ],
)
def test_it_finds_by_id_task_and_queue(client: Any, term: Callable[[Any], str], states: list[str]) -> None:
    found = fill()
    answer = client.get(LIST, {"q": term(found)})
    text = answer.content.decode()
    assert [state for state, job in found.items() if f"{LIST}{job}/change/" in text] == states


def test_a_job_is_shown_whole_without_its_secrets_and_cannot_be_changed(client: Any) -> None:
    found = fill()
    waits = page(client, f"{LIST}{found['scheduled']}/change/")
    assert "hunter2" not in waits
    assert "&quot;order&quot;: 42" in waits
    dead = page(client, f"{LIST}{found['dead']}/change/")
    assert "no order 1" in dead
    assert "1: failed LookupError" in dead
    for text in (waits, dead):
        assert 'name="_save"' not in text
        assert "deletelink" not in text
    assert client.post(f"{LIST}{found['dead']}/change/", {"queue": "mail"}).status_code == 403
    assert client.post(f"{LIST}{found['dead']}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403


def test_who_may_not_look_sees_nothing(client: Any) -> None:
    from django.contrib.auth.models import Permission, User

    bob = User.objects.get_or_create(username="bob", is_staff=True)[0]
    client.force_login(bob)
    assert client.get(LIST).status_code == 403
    bob.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(User.objects.get(pk=bob.pk))
    assert client.get(LIST).status_code == 200


def test_dumpdata_leaves_jobs_out_which_loaddata_could_not_bring_back() -> None:
    from io import StringIO

    from django.core.management import call_command

    fill()
    out = StringIO()
    call_command("dumpdata", stdout=out)
    assert '"model": "auth.permission"' in out.getvalue()
    assert '"model": "pgqueue.job"' not in out.getvalue()


def test_the_model_is_asked_as_any_other() -> None:
    from pgqueue.contrib.django.models import Job

    found = fill()
    assert [str(job.pk) for job in Job.objects.order_by("-id")[:2]] == [found["scheduled"], found["dead"]]
    assert Job.objects.get(pk=found["dead"]).state == "dead"


def test_a_list_counts_to_a_bound_and_reads_a_page(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from pgqueue.contrib.django import admin

    monkeypatch.setattr(admin, "MOST_COUNTED", 120)
    pgqueue.enqueue_many("default", [pgqueue.NewJob(TARGET, [n]) for n in range(300)])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        text = page(client, LIST)
    assert "120 jobs" in text
    assert "_facets" not in text
    about_jobs = [each["sql"] for each in asked.captured_queries if '"pgqueue"."job"' in each["sql"]]
    assert about_jobs
    assert all("LIMIT" in each for each in about_jobs)


def test_where_the_database_takes_too_long_the_list_says_so(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import models
    from django.db.models import Func, Value

    from pgqueue.contrib.django import admin

    class Sleep(Func):
        function = "pg_sleep"
        output_field = models.TextField()

    monkeypatch.setattr(admin, "PATIENCE_MS", 50)
    slow = admin.JobAdmin.get_queryset
    asked: list[str] = []

    def get_queryset(self: Any, request: Any) -> Any:
        asked.append(request.get_full_path())
        found = slow(self, request)
        return found.annotate(slept=Sleep(Value(1.0))) if len(asked) == 1 else found

    fill()
    monkeypatch.setattr(admin.JobAdmin, "get_queryset", get_queryset)
    text = page(client, LIST)
    assert "did not answer within 0.05 s" in text
    assert asked[-1] == f"{LIST}?state__exact=dead"
