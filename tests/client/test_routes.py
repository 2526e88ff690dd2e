"""Routes: the call says the queue, else the task, else a route in code, else one in the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import pgqueue
from pgqueue.errors import OptionError
from pgqueue.job import NewJob
from tests.factories import Conn

ELSEWHERE = "shop.mail:send"


@pgqueue.task
def plain() -> None: ...


@pgqueue.task(queue="of the task")
def settled() -> None: ...


PLAIN, SETTLED = f"{__name__}:plain", f"{__name__}:settled"


@pytest.fixture(autouse=True)
def _no_routes_left() -> Iterator[None]:
    yield
    pgqueue.set_routes({})


def queue_of(conn: Conn, job: Any) -> str:
    return pgqueue.get_job(conn, job).queue


def test_what_is_said_first_names_the_queue(conn: Conn) -> None:
    conn.execute("select pgqueue.set_route('*', 'in the database')")
    assert queue_of(conn, pgqueue.enqueue(conn, PLAIN)) == "in the database"
    pgqueue.set_routes({f"{__name__}*": "in code"})
    assert queue_of(conn, pgqueue.enqueue(conn, PLAIN)) == "in code"
    assert queue_of(conn, pgqueue.enqueue(conn, ELSEWHERE)) == "in the database"
    assert queue_of(conn, pgqueue.enqueue(conn, SETTLED)) == "of the task"
    assert queue_of(conn, pgqueue.enqueue(conn, SETTLED, queue="of the call")) == "of the call"


def test_every_way_in_is_routed(conn: Conn) -> None:
    pgqueue.set_routes({PLAIN: "media"})
    (many,) = pgqueue.enqueue_many(conn, [NewJob(plain)])
    jobs = [
        pgqueue.enqueue(conn, plain),
        plain.enqueue(conn),
        plain.using(priority=1).enqueue(conn),
        many,
        pgqueue.enqueue_many(conn, [plain.job()] * 200)[-1],
        pgqueue.enqueue(conn, PLAIN, unique_key="k"),
    ]
    assert {queue_of(conn, job) for job in jobs} == {"media"}
    with pgqueue.bound(conn):
        assert queue_of(conn, plain.delay()) == "media"
    assert queue_of(conn, plain.using(queue="now").enqueue(conn)) == "now"


def test_the_pattern_that_says_most_rules_in_code_as_in_the_database(conn: Conn) -> None:
    routes = {"video.*": "media", "*": "rest", "video.encode:*": "encoding", "video.encode:now": "now"}
    targets = ["video.cut:run", "audio:run", "video.encode:run", "video.encode:now"]
    for pattern, queue in routes.items():
        conn.execute("select pgqueue.set_route(%s, %s)", [pattern, queue])
    by_database = [queue_of(conn, pgqueue.enqueue(conn, target)) for target in targets]
    for pattern in routes:
        conn.execute("select pgqueue.remove_route(%s)", [pattern])
    pgqueue.set_routes(routes)
    by_code = [queue_of(conn, pgqueue.enqueue(conn, target)) for target in targets]
    assert by_code == by_database == ["media", "rest", "encoding", "now"]


@pytest.mark.parametrize(
    ("routes", "fault"),
    [
        ([("a", "b")], "routes must map targets to queues"),
        ({"video": "media"}, "a route is of a target 'module:function', or of a glob of them, got 'video'"),
        ({5: "media"}, "a route is of a target"),
        ({"video.*": ""}, "a queue must be a text of 1 to 500 characters"),
        ({"video.*": None}, r"the route of 'video.\*' must name a queue, got None"),
    ],
)
def test_wrong_routes_are_refused_and_leave_the_others(routes: Any, fault: str, conn: Conn) -> None:
    pgqueue.set_routes({PLAIN: "media"})
    with pytest.raises(OptionError, match=fault):
        pgqueue.set_routes(routes)
    assert queue_of(conn, pgqueue.enqueue(conn, PLAIN)) == "media"
