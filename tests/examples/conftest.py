"""The examples can be imported, here and by workers; the fixtures of the worker tests serve here, too."""

from __future__ import annotations

import os

import pytest

from tests.postgres import ROOT
from tests.worker.conftest import desk, spawn, start

__all__ = ["desk", "examples", "spawn", "start"]

EXAMPLES = ROOT / "examples"


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were run in the folder of the examples."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    path = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{EXAMPLES}{os.pathsep}{path}" if path else str(EXAMPLES))
