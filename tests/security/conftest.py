"""`command`: a command in this process; `desk`, `start`, `spawn`: jobs and workers; `traced`, `begin`: who is told."""

from __future__ import annotations

from tests.cli.conftest import pgqueue as command  # noqa: F401  # fixture
from tests.roles.conftest import staffed  # noqa: F401  # fixture
from tests.watching.test_otel import traced  # noqa: F401  # fixture
from tests.watching.test_sentry import begin  # noqa: F401  # fixture
from tests.worker.conftest import desk, spawn, start  # noqa: F401  # fixtures
