"""An application on django-tasks-db, and its settings; django_program.py runs it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

GIVEN = conninfo_to_dict(os.environ["PGQUEUE_DSN"])
settings.configure(
    INSTALLED_APPS=["django_tasks", "django_tasks_db"],
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            **{name.upper(): str(GIVEN[name]) for name in ("host", "port", "user")},
            "NAME": str(GIVEN["dbname"]),
        }
    },
    TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}},
)
django.setup()

from django.db import connection  # noqa: E402  # Django is set up first
from django_tasks import task  # noqa: E402

LATER = datetime(2099, 1, 2, 3, tzinfo=UTC)


@task()
def send(order_id: int, kind: str = "plain") -> int:
    with connection.cursor() as cursor:
        cursor.execute("insert into ran values (%s, 'django-tasks-db')", [order_id])
    return order_id


def fill() -> None:
    """One of everything that a task can be told there; prints the ids."""
    for result in (
        send.enqueue(1),
        send.enqueue(order_id=2),
        send.using(run_after=LATER, queue_name="mail").enqueue(order_id=3),
        send.using(priority=100).enqueue(order_id=4),
        send.using(priority=-15).enqueue(order_id=5),
        send.enqueue(6, kind="mixed"),
    ):
        print(result.id)
