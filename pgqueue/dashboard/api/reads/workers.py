"""Workers: what each serves, how busy it is, and what it said of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgqueue.answers import WorkerAnswer, worker_answer
from pgqueue.dashboard.api.parameters import name
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages import workers as page
from pgqueue.dashboard.pages.page import Asked
from pgqueue.store.worker_reports import WorkerReport


@dataclass(frozen=True, slots=True)
class Workers:
    """Workers by host; of more than 500, so many are `left_out`. `releases` are those that live ones run."""

    items: list[WorkerAnswer]
    left_out: int
    releases: Sequence[str]


def listed(conn: Conn, asked: Asked) -> Workers:
    """The workers."""
    told = page.load(conn, asked)
    reports = told["told"]
    items = [worker_answer(row, _visible(asked.user, reports.get(row.id))) for _, rows in told["hosts"] for row in rows]
    return Workers(items, told["left_out"], told["releases"])


def one(conn: Conn, asked: Asked) -> WorkerAnswer:
    """What is to be known of a worker."""
    told = page.load_one(conn, asked)
    return worker_answer(told["row"], _visible(asked.user, told["report"]))


def _visible(user: User, report: WorkerReport | None) -> WorkerReport | None:
    """A report, without the jobs of which nobody knows whether they are of queues that exist for the user."""
    return report if report is None or user.queues is None else replace(report, running=[])


ROUTES = (
    Route("workers", "/workers", "The workers, by host", listed, Workers, page="/workers"),
    Route("worker", "/worker", "One worker", one, WorkerAnswer, (name("the worker's id", "id"),), page="/worker"),
)
