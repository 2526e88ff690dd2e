"""Permissions for people: to look at jobs, and to act on them in the dashboard.

Django makes none for a model that it passes by.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps as every_app
from django.db import router

from pgqueue.contrib.django.schema import LABEL

NAMES = {"view_job": "Can view job", "change_job": "Can change job"}


def make_permissions(alias: str, apps: Any = every_app) -> None:
    """Make them in a database that has the tables of Django's users; nothing happens where they are there."""
    try:
        permission, content_type = apps.get_model("auth", "Permission"), apps.get_model("contenttypes", "ContentType")
    except LookupError:
        return
    if not router.allow_migrate_model(alias, permission):
        return
    kind, _ = content_type.objects.using(alias).get_or_create(app_label=LABEL, model="job")
    for codename, name in NAMES.items():
        permission.objects.using(alias).get_or_create(
            content_type_id=kind.pk, codename=codename, defaults={"name": name}
        )
