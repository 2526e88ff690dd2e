"""The dashboard in the project's urls: for staff, by what they may, under WSGI and ASGI."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

import pgqueue
from tests.django.test_connections import TARGET

pytestmark = pytest.mark.usefixtures("fresh")
PLACE = "/ops/queue/"


@pytest.fixture(autouse=True)
def _closing(shop: None) -> Iterator[None]:
    from pgqueue.contrib.django import dashboard

    yield
    dashboard.served.close()


def client_of(name: str, *permissions: str, **flags: bool) -> Any:
    """The browser of somebody."""
    from django.contrib.auth.models import Permission, User
    from django.test import Client

    user = User.objects.get_or_create(username=name)[0]
    for flag, value in {"is_staff": True, **flags}.items():
        setattr(user, flag, value)
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_who_is_not_known_is_led_to_the_login_and_who_may_not_look_is_refused() -> None:
    from django.test import Client

    assert Client().get(f"{PLACE}jobs").url == f"/admin/login/?next={PLACE}jobs"
    assert client_of("bob").get(PLACE).status_code == 403
    assert client_of("eve", "view_job", is_staff=False).get(PLACE).status_code == 403
    assert client_of("ivy", "view_job", is_active=False).get(PLACE).status_code in (302, 403)


def test_a_viewer_sees_pages_whose_addresses_stay_below_its_place() -> None:
    job = pgqueue.enqueue("default", TARGET, [{"order": 42}])
    client = client_of("ann", "view_job")
    for path in ("", "jobs", f"jobs/{job.id}", "queues", "workers", "dead"):
        answer = client.get(f"{PLACE}{path}")
        assert answer.status_code == 200, answer.content
        text = answer.content.decode()
        assert "Shop" in text
        addresses = set(re.findall(r'(?:href|src|action)="([^"#][^"]*)"', text))
        assert [each for each in addresses if not each.startswith(PLACE)] == []
    style = next(each for each in addresses if each.endswith(".css"))
    answer = client.get(style)
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
    assert client.get(f"{PLACE}nowhere").status_code == 404


def test_who_may_change_jobs_acts_and_who_may_look_does_not() -> None:
    from tests.dashboard.asking import Answer
    from tests.dashboard.posting import fields_of

    job = pgqueue.enqueue("default", TARGET, [1])
    address = f"{PLACE}act/job/cancel?of={job.id}"
    looks, acts = client_of("ann", "view_job"), client_of("otto", "view_job", "change_job")

    def fields(client: Any) -> dict[str, str]:
        form = client.get(address)
        return fields_of(Answer(form.status_code, [], form.content.decode()))

    def post(client: Any, site: str) -> Any:
        kind = "application/x-www-form-urlencoded"
        return client.post(address, urlencode(fields(acts)), content_type=kind, headers={"sec-fetch-site": site})

    assert post(looks, "same-origin").status_code == 403
    assert post(acts, "cross-site").status_code == 403
    answer = post(acts, "same-origin")
    assert answer.status_code == 303, answer.content
    assert answer.headers["Location"].startswith(PLACE)
    assert pgqueue.get_job("default", job.id).state == pgqueue.JobState.CANCELLED


def test_a_stream_is_refused_so_that_it_holds_no_thread() -> None:
    assert client_of("ann", "view_job").get(PLACE, headers={"accept": "text/event-stream"}).status_code == 204


def test_it_answers_under_asgi() -> None:
    from django.test import AsyncClient

    client = client_of("ann", "view_job")
    cookie = client.cookies["sessionid"].value

    async def asked() -> Any:
        browser = AsyncClient()
        browser.cookies["sessionid"] = cookie
        return await browser.get(PLACE)

    assert asyncio.run(asked()).status_code == 200


def test_an_export_comes_piece_by_piece_and_ends_with_whoever_reads_it() -> None:
    pgqueue.enqueue_many("default", [pgqueue.NewJob(TARGET, ["x" * 900]) for _ in range(3_000)])
    client = client_of("root", is_superuser=True)
    answer = client.get(f"{PLACE}export?q=state:ready")
    assert answer.streaming
    assert b"".join(answer.streaming_content).count(b"\n") == 3_000
    left = client.get(f"{PLACE}export?q=state:ready")
    next(iter(left.streaming_content))
    left.close()
    # Two may export at a time: the one that was left has made room.
    for _ in range(2):
        assert client.get(f"{PLACE}export?q=state:ready").status_code == 200
