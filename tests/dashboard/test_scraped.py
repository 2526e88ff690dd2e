"""The dashboard tells Prometheus what the exporter tells, and only whom it shows all queues."""

from __future__ import annotations

from starlette.requests import Request

from pgqueue.dashboard import User
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.factories import Conn, enqueue
from tests.metrics.reading import OPEN_METRICS, samples


def test_the_dashboard_answers_a_scraper(new_app: NewApp, conn: Conn) -> None:
    enqueue(conn)
    conn.commit()
    answer = ask(new_app(), "/metrics", headers=[("accept", OPEN_METRICS)])
    assert answer.status == 200
    assert (answer.header("content-type") or "").startswith("application/openmetrics-text")
    assert samples(answer.text)["pgqueue_queue_jobs", (("queue", "default"), ("state", "ready"))] == 1


def test_who_sees_some_queues_is_not_told_of_the_others(new_app: NewApp) -> None:
    def tenant(request: Request) -> User:
        return User("ann", queues=["mail.*"])

    assert ask(new_app(auth=tenant), "/metrics").status == 403
