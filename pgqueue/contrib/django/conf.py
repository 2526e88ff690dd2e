"""The setting PGQUEUE: a dict, all of whose keys may be left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.urls import NoReverseMatch, reverse

# `DATABASE` is the alias that has the jobs, `MODULES` are modules with tasks beside the tasks.py of installed apps,
# `DASHBOARD` are options of create_app(), and `DASHBOARD_URL` is where another dashboard is, for links to it.
KEYS = ("DATABASE", "MODULES", "DASHBOARD", "DASHBOARD_URL")


def said() -> Mapping[str, Any]:
    """The setting as it stands; empty if there is none, or it is no dict (which a check says)."""
    given = getattr(settings, "PGQUEUE", None)
    return given if isinstance(given, dict) else {}


def database() -> str:
    """The alias of DATABASES that has the jobs."""
    return str(said().get("DATABASE", DEFAULT_DB_ALIAS))


def modules() -> list[str]:
    """Modules with tasks that no app has as its tasks.py."""
    return list(said().get("MODULES", ()))


def dashboard() -> dict[str, Any]:
    """Options of the dashboard that stands in the project's own urls."""
    return dict(said().get("DASHBOARD", {}))


def dashboard_url() -> str | None:
    """Where the dashboard is, with a slash at its end: as the setting says, else in the project's urls, else None."""
    if url := said().get("DASHBOARD_URL"):
        return f"{str(url).rstrip('/')}/"
    try:
        return reverse("pgqueue:dashboard", kwargs={"path": ""})
    except NoReverseMatch:
        return None
