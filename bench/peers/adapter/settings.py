"""The settings that the runner chose among those which the manifest lets be tried."""

from __future__ import annotations

import json
import os


def setting(name: str, default: int) -> int:
    """The value chosen for it, else the one given here."""
    return int(json.loads(os.environ.get("BENCH_SETTINGS", "{}")).get(name, default))
