"""The Djangos that `make adopt-django` has brought up, each in an environment of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgres import ROOT

VERSIONS = ("django52", "django6")
each_version = pytest.mark.parametrize("version", VERSIONS)


def bin_of(version: str) -> Path:
    """The folder of its programs."""
    found = ROOT / ".adopt" / version / "bin"
    assert (found / "django-admin").exists(), f"there is no {found.parent}; run `make adopt-django`"
    return found
