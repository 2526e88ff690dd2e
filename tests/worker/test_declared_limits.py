"""Limits that code declares, from the decorator to the table, through each kind of executor."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgqueue.store import execute, limits
from tests.worker.conftest import Desk
from tests.worker.running import ONE_KIND, StartProcess

CODE = """
import pgqueue

@pgqueue.task(limit_key="tenant:{{tenant_id}}", concurrency=2, rate="100/m")
def send(tenant_id: int) -> None: ...

@pgqueue.task({options})
def report() -> None: ...
"""


@pytest.mark.parametrize("executor", ONE_KIND)
def test_a_worker_sets_the_limits_that_its_code_declares(
    desk: Desk, spawn: StartProcess, tmp_path: Path, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "limited_app.py").write_text(CODE.format(options="concurrency=5"))
    spawn(app=["limited_app"], executor=executor)
    rows = execute(desk.conn, limits.rows(10))
    assert [(row.scope, row.name, row.concurrency, row.rate, row.source) for row in rows] == [
        ("key", "tenant:*", 2, "100/m", "limited_app"),
        ("task", "limited_app:report", 5, None, "limited_app"),
    ]
    (tmp_path / "limited_app.py").write_text(CODE.format(options="concurrency=6"))
    spawn(app=["limited_app"], executor=executor)
    changed = execute(desk.conn, limits.get("task", "limited_app:report"))
    assert changed is not None
    assert changed.concurrency == 6
