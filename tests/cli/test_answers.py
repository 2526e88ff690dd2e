"""One answer, many doors: what a command prints with --json has the names that the API answers with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from pgqueue.dashboard import Dashboard
from tests.api.addresses import act
from tests.api.asking import make, read
from tests.cli.conftest import Command
from tests.conftest import Connect
from tests.dashboard.filled import Filled, fill


@pytest.fixture
def filled(connect: Connect) -> Filled:
    conn = connect(autocommit=True)
    found = fill(conn)
    act(conn, found)
    return found


@pytest.fixture
def api(dsn: str) -> Iterator[Dashboard]:
    app = make(dsn)
    yield app
    asyncio.run(app.aclose())


# What a command prints, and where the API answers it; `items[0]` of a list.
TWINS = (
    ("queues list", "/queues"),
    ("queues show {queue}", "/queue?name={queue}"),
    ("queues explain {queue}", "/queue/explain?name={queue}"),
    ("jobs show {dead}", "/jobs/{dead}"),
    ("jobs attempts {dead}", "/jobs/{dead}/attempts"),
    ("jobs explain {waiting}", "/jobs/{waiting}/explain"),
    ("causes list", "/causes"),
    ("causes show 0123456789ab", "/causes/0123456789ab"),
    ("workers list -v", "/workers"),
    ("workers show {worker}", "/worker?id={worker}"),
    ("schedules list", "/schedules"),
    ("schedules show {schedule}", "/schedule?name={schedule}"),
    ("limits list", "/limits"),
    ("limits show {limit}", "/limit?name={limit}"),
    ("operations list", "/operations"),
    ("operations show 1", "/operations/1"),
    ("audit list", "/audit"),
    ("feeds list", "/feeds"),
)


def test_a_command_and_the_api_answer_under_the_same_names(pgqueue: Command, api: Dashboard, filled: Filled) -> None:
    for command, shape in TWINS:
        ran = pgqueue(*unquote(filled.address(command)).split(" "), "--json")
        assert ran.code == 0, (command, ran.err)
        printed = ran.json
        answered = read(api, filled.address(shape))
        if isinstance(printed, list):
            printed, answered = printed[0], answered["items"][0]
        assert names_of(printed) - names_of(answered) == set(), command


def test_lists_of_jobs_have_all_but_the_arguments(pgqueue: Command, api: Dashboard, filled: Filled) -> None:
    for command, shape in (("jobs list", "/jobs"), ("dead list", "/dead")):
        printed, answered = pgqueue(*command.split(" "), "--json").json[0], read(api, shape)["items"][0]
        assert names_of(printed) - names_of(answered) == {"args", "parent_id", "root_id"}


def test_the_overview_is_the_status(pgqueue: Command, api: Dashboard, filled: Filled) -> None:
    printed, answered = pgqueue("status", "--json").json, read(api, "/overview")
    # Where the server is, is not for who asks over the network; there are no estimates but an answer of 503; and of
    # workflows there is an answer of their own, for who may see all queues.
    assert set(printed) - set(answered) == {"host", "estimates", "workflows_failed"}
    assert set(printed["queues"][0]) == set(answered["queues"][0])
    assert printed["revision"] == answered["revision"]


def test_the_doctor_answers_the_same_checks(pgqueue: Command, api: Dashboard, filled: Filled) -> None:
    printed, answered = pgqueue("doctor", "--json").json, read(api, "/doctor")["verdicts"]
    assert {each["check"] for each in printed} == {each["check"] for each in answered}
    assert set(printed[0]) == set(answered[0])


def names_of(value: Any) -> set[str]:
    return set(value)
