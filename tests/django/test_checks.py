"""Each check names a mistake, and what to write instead."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("shop")
BACKEND = {"BACKEND": "pgqueue.contrib.django.Backend"}


def faults(**settings: Any) -> dict[str, tuple[str, str]]:
    """What `manage.py check` says, by id."""
    from django.core.checks import run_checks
    from django.test import override_settings

    with override_settings(**settings):
        return {str(each.id): (each.msg, str(each.hint)) for each in run_checks() if str(each.id).startswith("pgqueue")}


def test_a_project_that_is_right_has_no_faults() -> None:
    assert faults() == {}


@pytest.mark.parametrize(
    ("setting", "identity", "said", "hint"),
    [
        ("default", "pgqueue.E001", "PGQUEUE must be a dict, got 'default'.", 'PGQUEUE = {"DATABASE": "default"}'),
        (
            {"DB": "default"},
            "pgqueue.E002",
            "PGQUEUE has no key 'DB'.",
            "Keys are DATABASE, MODULES, DASHBOARD, DASHBOARD_URL.",
        ),
        ({"DATABASE": "defalt"}, "pgqueue.E006", "names the database 'defalt'", "DATABASES has default, other"),
        ({"DATABASE": "lite"}, "pgqueue.W007", "is the database 'lite', which is SQLite", "django.db.backends.postg"),
        ({"MODULES": "shop.jobs"}, "pgqueue.E008", "must be a list of modules, got 'shop.jobs'", '["shop.jobs"]'),
        ({"DASHBOARD": {"colour": "red"}}, "pgqueue.E010", "must not have ['colour']", "a dict of actions, api, embed"),
        ({"MODULES": ["shop.jobs"]}, "pgqueue.E009", "names 'shop.jobs', which is no module", "as in an import"),
    ],
)
def test_the_setting_pgqueue(setting: Any, identity: str, said: str, hint: str) -> None:
    found = faults(PGQUEUE=setting)
    assert said in found[identity][0]
    assert hint in found[identity][1]


@pytest.mark.parametrize(
    ("options", "identity", "said"),
    [
        ({"database": "nowhere"}, "pgqueue.E006", 'TASKS[\'default\']["OPTIONS"]["database"] names the database'),
        ({"database": "lite"}, "pgqueue.E007", "which is SQLite"),
        ({"retry": 5}, "pgqueue.E004", "must be a policy, got 5"),
        ({"max_retries": 5}, "pgqueue.E005", "max_attempts"),
    ],
)
def test_options_of_a_backend(options: dict[str, Any], identity: str, said: str) -> None:
    found = faults(TASKS={"default": {**BACKEND, "OPTIONS": options}})
    assert said in found[identity][0]


def test_a_backend_without_the_app() -> None:
    from django.conf import settings

    others = [each for each in settings.INSTALLED_APPS if each != "pgqueue.contrib.django"]
    found = faults(INSTALLED_APPS=others, TASKS={"default": BACKEND})
    assert 'Add "pgqueue.contrib.django" to INSTALLED_APPS' in found["pgqueue.E003"][1]


def test_a_database_without_the_schema() -> None:
    from django.core.checks import run_checks
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder

    with connections["other"].cursor() as cursor:
        assert [each for each in run_checks(databases=["other", "default"]) if "pgqueue" in str(each.id)] == []
        cursor.execute("alter schema pgqueue rename to aside")
    try:
        from django.test import override_settings

        with override_settings(PGQUEUE={"DATABASE": "other"}):
            (found,) = [each for each in run_checks(databases=["other"]) if "pgqueue" in str(each.id)]
        assert found.id == "pgqueue.W001"
        assert "no schema pgqueue" in found.msg
        assert found.hint == "Run `manage.py migrate --database other`."
        recorder = MigrationRecorder(connections["other"])
        recorder.record_unapplied("pgqueue", "0001_pgqueue")
        with override_settings(PGQUEUE={"DATABASE": "other"}):
            assert [each for each in run_checks(databases=["other"]) if "pgqueue" in str(each.id)] == []
        recorder.record_applied("pgqueue", "0001_pgqueue")
    finally:
        with connections["other"].cursor() as cursor:
            cursor.execute("alter schema aside rename to pgqueue")


def test_the_reference_has_every_check() -> None:
    from tests.postgres import ROOT

    code = (ROOT / "pgqueue" / "contrib" / "django" / "checks.py").read_text()
    # One is an error or a warning.
    known = {*re.findall(r"pgqueue\.[EW]\d{3}", code), "pgqueue.E007", "pgqueue.W007"}
    assert set(re.findall(r"pgqueue\.[EW]\d{3}", (ROOT / "docs" / "reference" / "django.md").read_text())) == known
