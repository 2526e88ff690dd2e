"""Extras that are not installed are missed only by who uses them, and then it is said what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

EXTRAS = {"otel": "opentelemetry", "sentry": "sentry_sdk", "prometheus": "prometheus_client", "fastapi": "fastapi"}


def ran(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ("otel", "import pgqueue.otel"),
        ("sentry", "import pgqueue.sentry"),
        ("prometheus", "from pgqueue.metrics import families; families.require()"),
        ("fastapi", "import pgqueue.contrib.fastapi"),
    ],
)
def test_what_is_not_installed_is_named_with_what_to_install(extra: str, code: str) -> None:
    # As Python itself marks what cannot be imported.
    missed = ran(f"import sys; sys.modules[{EXTRAS[extra]!r}] = None; {code}")
    assert missed.returncode == 1
    assert f"pip install 'pgqueue-postgres[{extra}]'" in missed.stderr.splitlines()[-1]


def test_who_enqueues_or_runs_a_worker_loads_none_of_them() -> None:
    code = f"import sys, pgqueue, pgqueue.worker, pgqueue.cli.app; print({set(EXTRAS.values())!r} & sys.modules.keys())"
    assert ran(code).stdout == "set()\n"
