"""The permission to look at jobs, to be given in the admin: Django makes none for a model that it passes by."""

from __future__ import annotations

from typing import Any

from django.apps import apps as every_app
from django.db import router

from pgqueue.contrib.django.schema import LABEL

NAME = "view_job"


def make_permission(alias: str, apps: Any = every_app) -> None:
    """Make it in a database that has the tables of Django's users; nothing happens where it is there."""
    try:
        permission, content_type = apps.get_model("auth", "Permission"), apps.get_model("contenttypes", "ContentType")
    except LookupError:
        return
    if not router.allow_migrate_model(alias, permission):
        return
    kind, _ = content_type.objects.using(alias).get_or_create(app_label=LABEL, model="job")
    permission.objects.using(alias).get_or_create(
        content_type_id=kind.pk, codename=NAME, defaults={"name": "Can view job"}
    )
