"""A Django project in this process: `shop` on two PostgreSQL databases, with a third one that is SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from pgqueue.embedded import Server
from tests.postgres import TEMPLATE, Databases

BACKEND = "pgqueue.contrib.django.Backend"
SHOP, OTHER = "django_shop", "django_other"


@pytest.fixture(scope="session")
def shop(server: Server, databases: Databases) -> Iterator[None]:
    """Django, set up and migrated; nothing is rolled back after a test."""
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        for name in (SHOP, OTHER):
            words = sql.SQL("create database {} template {}")
            admin.execute(words.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    settings.configure(**settings_of(server))
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("migrate", "pgqueue", database="other", verbosity=0)
    yield
    for connection in connections.all():
        connection.close()
        if pool := getattr(connection, "pool", None):
            pool.close()


@pytest.fixture
def fresh(shop: None) -> Iterator[None]:
    """The same with no rows, and connections that are opened anew."""
    from django.db import connections

    from pgqueue.store import emptying, execute
    from tests.django.shop.models import Order, Receipt

    yield
    for alias in ("default", "other"):
        execute(alias, emptying.everything())
        connections[alias].close()
    Order.objects.all().delete()
    Receipt.objects.all().delete()
    connections["default"].close()


class OnlyJobs:
    """The default database has all of it, others have jobs alone."""

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool | None:
        return None if db == "default" or app_label == "pgqueue" else False


def settings_of(server: Server) -> dict[str, Any]:
    """The settings of the project."""
    return {
        "SECRET_KEY": "shop",
        "USE_TZ": True,
        "ROOT_URLCONF": "tests.django.shop.urls",
        "ALLOWED_HOSTS": ["testserver"],
        "DATABASES": {
            "default": {**database(server, SHOP), "ATOMIC_REQUESTS": True},
            "other": database(server, OTHER),
            "pooled": {**database(server, SHOP), "OPTIONS": {"pool": {"min_size": 1, "max_size": 2}}},
            "lite": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        },
        "INSTALLED_APPS": [
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            *(["django_tasks"] if find_spec("django.tasks") is None else []),
            "pgqueue.contrib.django",
            "tests.django.shop",
        ],
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        "TASKS": {
            "default": {"BACKEND": BACKEND, "QUEUES": []},
            "elsewhere": {"BACKEND": BACKEND, "QUEUES": ["default"], "OPTIONS": {"database": "other"}},
        },
        "DATABASE_ROUTERS": [f"{__name__}.OnlyJobs"],
        # Their tables as they are now, and not by each change that ever was.
        "MIGRATION_MODULES": dict.fromkeys(("admin", "auth", "contenttypes", "sessions")),
        "PGQUEUE": {"DASHBOARD": {"actions": True, "title": "Shop"}},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    }


def database(server: Server, name: str) -> dict[str, Any]:
    """An entry of DATABASES."""
    given = conninfo_to_dict(server.dsn(name, tcp=True))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": given["user"],
        "HOST": given["host"],
        "PORT": str(given["port"]),
    }
