"""An earlier state of the repository, as `python -m bench --before` takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.earlier import checkout
from pgqueue.errors import UsageError


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert checkout(str(tmp_path)) == tmp_path


def test_a_commit_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="no checkout of nosuch"):
        checkout("nosuch")
