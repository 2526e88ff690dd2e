"""What ran before is no matter of a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workflows import shop_tasks


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Nothing has run, and nothing fails."""
    shop_tasks.ran.clear()
    shop_tasks.failing.clear()
    yield
    shop_tasks.failing.clear()
