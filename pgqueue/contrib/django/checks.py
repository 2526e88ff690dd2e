"""System checks: each names a mistake in the settings, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  # as Django calls it
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from pgqueue.contrib.django import conf
from pgqueue.contrib.django.schema import LABEL
from pgqueue.errors import OptionError, PgqueueError
from pgqueue.retry import RetryPolicy
from pgqueue.store.schema import require_schema
from pgqueue.tasks.options import check_task_options

_APP = "pgqueue.contrib.django"
# Of create_app(); who looks, and at which database, the project says.
DASHBOARD_OPTIONS = frozenset({"actions", "redact", "title", "links", "read_dsn", "time_zone", "embed", "api"})


def check_settings(**_: Any) -> list[CheckMessage]:
    """The setting PGQUEUE, and the database that it names."""
    given = getattr(settings, "PGQUEUE", {})
    if not isinstance(given, dict):
        hint = f'Write PGQUEUE = {{"DATABASE": "default"}}, or leave it out. Keys are {", ".join(conf.KEYS)}.'
        return [Error(f"PGQUEUE must be a dict, got {given!r:.80}.", hint=hint, id="pgqueue.E001")]
    unknown = [
        Error(f"PGQUEUE has no key {key!r}.", hint=f"Keys are {', '.join(conf.KEYS)}.", id="pgqueue.E002")
        for key in given
        if key not in conf.KEYS
    ]
    place = 'PGQUEUE["DATABASE"]'
    return [
        *unknown,
        *_database_faults(conf.database(), place, other=Warning),
        *_module_faults(),
        *_dashboard_faults(),
    ]


def check_backend(backend: Any) -> Iterator[CheckMessage]:
    """One entry of TASKS."""
    place = f"TASKS[{backend.alias!r}]"
    if not apps.is_installed(_APP):
        yield Error(
            f"{place} is a backend of pgqueue's, and the app is not installed.",
            hint=f'Add "{_APP}" to INSTALLED_APPS, and run `manage.py migrate`.',
            id="pgqueue.E003",
        )
    yield from _database_faults(backend.database, f'{place}["OPTIONS"]["database"]')
    options = dict(backend.job_options)
    retry = options.pop("retry", None)
    if retry is not None and not isinstance(retry, RetryPolicy):
        yield Error(
            f'{place}["OPTIONS"]["retry"] must be a policy, got {retry!r:.80}.',
            hint="Write pgqueue.Backoff(first=5, cap=3600), for example.",
            id="pgqueue.E004",
        )
    try:
        check_task_options(options)
    except OptionError as error:
        hint = "OPTIONS takes `database`, and what @pgqueue.task takes."
        yield Error(f'{place}["OPTIONS"]: {error}.', hint=hint, id="pgqueue.E005")


def check_schema(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Whether the database of the jobs has the schema; asked by `manage.py check --database ALIAS` and by migrate.

    Before the first `migrate` there is nothing to say that Django does not say of all migrations.
    """
    alias = conf.database()
    if alias not in (databases or ()) or _database_faults(alias, ""):
        return []
    if (LABEL, "0001_pgqueue") not in MigrationRecorder(connections[alias]).applied_migrations():
        return []
    try:
        require_schema(connections[alias])
    except PgqueueError as error:
        hint = f"Run `manage.py migrate --database {alias}`."
        return [Warning(f"The database {alias!r}: {error}", hint=hint, id="pgqueue.W001")]
    return []


def _database_faults(alias: str, place: str, other: type[CheckMessage] = Error) -> list[CheckMessage]:
    """What is wrong with an alias. A project that has another database, in development perhaps, may do without jobs."""
    if alias not in connections:
        hint = f"DATABASES has {', '.join(connections)}."
        return [Error(f"{place} names the database {alias!r}, which there is none of.", hint=hint, id="pgqueue.E006")]
    wrapper = connections[alias]
    if wrapper.vendor != "postgresql":
        hint = "Name an alias whose ENGINE is django.db.backends.postgresql."
        said = f"{place} is the database {alias!r}, which is {wrapper.display_name}; jobs live in PostgreSQL."
        return [other(said, hint=hint, id=f"pgqueue.{other.__name__[0]}007")]
    return []


def _module_faults() -> Iterator[CheckMessage]:
    named = conf.said().get("MODULES", ())
    if isinstance(named, str) or not all(isinstance(each, str) for each in named):
        hint = 'Write PGQUEUE = {"MODULES": ["shop.jobs"]}.'
        yield Error(f'PGQUEUE["MODULES"] must be a list of modules, got {named!r:.80}.', hint=hint, id="pgqueue.E008")
        return
    for each in named:
        if not _is_there(each):
            hint = "Name it as in an import: shop.jobs."
            yield Error(f'PGQUEUE["MODULES"] names {each!r}, which is no module.', hint=hint, id="pgqueue.E009")


def _dashboard_faults() -> Iterator[CheckMessage]:
    given = conf.said().get("DASHBOARD", {})
    unknown = given if not isinstance(given, dict) else sorted(given.keys() - DASHBOARD_OPTIONS)
    if unknown:
        hint = f"It is a dict of {', '.join(sorted(DASHBOARD_OPTIONS))}, as create_app() takes them."
        yield Error(f'PGQUEUE["DASHBOARD"] must not have {unknown!r:.80}.', hint=hint, id="pgqueue.E010")


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
