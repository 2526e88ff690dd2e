"""With roles made a producer meets what a queue allows and what its role may enqueue, and an admin sets both."""

from __future__ import annotations

import psycopg
import pytest

import pgqueue
from pgqueue.job import NewJob
from tests.roles.conftest import Staffed

TARGET = "shop.mail:send"


def test_a_producer_meets_the_limit_of_its_group_through_functions_and_by_hand(staffed: Staffed) -> None:
    producers = staffed.role("producer")
    with staffed.connect("admin") as admin:
        pgqueue.set_role_limit(admin, producers, rate="3/h", max_args=1000, max_queues=50, max_size=1000)
    with staffed.connect("producer") as conn:
        with pytest.raises(pgqueue.EnqueueLimit) as refused:
            pgqueue.enqueue(conn, TARGET, ["x" * 1000])
        assert (refused.value.role, refused.value.limit) == (producers, "max_args")
        pgqueue.enqueue(conn, TARGET)
        pgqueue.enqueue_many(conn, [NewJob(TARGET)] * 2)
        with pytest.raises(pgqueue.EnqueueLimit):
            pgqueue.enqueue(conn, TARGET)
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
            conn.execute("insert into pgqueue.jobs (id, target) values (gen_random_uuid(), 'a:b')")
        for forbidden in ("set_role_limit('*', rate => 'none')", f"remove_role_limit('{producers}')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select pgqueue.{forbidden}")
    with staffed.connect("admin") as admin:
        assert pgqueue.remove_role_limit(admin, producers)


def test_a_producer_meets_what_a_queue_allows(staffed: Staffed) -> None:
    with staffed.connect("admin") as admin:
        pgqueue.allow_targets(admin, "mail", ["shop.mail:*"])
    with staffed.connect("producer") as conn:
        pgqueue.enqueue(conn, TARGET, queue="mail")
        with pytest.raises(pgqueue.TargetNotAllowed):
            pgqueue.enqueue(conn, "shop.tasks:charge", queue="mail")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            pgqueue.allow_targets(conn, "mail", None)
    with staffed.connect("admin") as admin:
        pgqueue.allow_targets(admin, "mail", None)


def test_an_admin_erases_and_nobody_below(staffed: Staffed) -> None:
    staffed.conn.execute('select pgqueue.enqueue(\'shop:pay\', \'{"email": "ada"}\', labels => \'{"customer": "42"}\')')
    for part in ("producer", "worker", "operator", "reader"):
        with staffed.connect(part) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            pgqueue.erase(conn, label={"customer": "42"})
    with staffed.connect("admin") as admin:
        assert pgqueue.erase(admin, label={"customer": "42"}).removed == {"jobs": 1, "attempts": 1}
