"""The setting PGQUEUE: a dict, all of whose keys may be left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS

# `DATABASE` is the alias that has the jobs, `MODULES` are modules with tasks beside the tasks.py of installed apps, and
# `DASHBOARD_URL` is where the dashboard is, for links to it.
KEYS = ("DATABASE", "MODULES", "DASHBOARD_URL")


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


def dashboard_url() -> str | None:
    """Where the dashboard is, with a slash at its end; None if nobody said."""
    url = said().get("DASHBOARD_URL")
    return f"{str(url).rstrip('/')}/" if url else None
