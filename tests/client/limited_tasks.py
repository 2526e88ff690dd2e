"""Tasks whose limit keys are made from their arguments."""

from __future__ import annotations

from typing import Any

import pgqueue


@pgqueue.task(limit_key="tenant:{tenant_id}", concurrency=2, rate="100/m", burst=20, weight=3)
def send(tenant_id: object, to: str = "") -> None: ...


@pgqueue.task(limit_key="order:{region}/{number}")
def ship(number: int, region: str = "eu", *rest: Any, fast: bool = False, **more: Any) -> None: ...


@pgqueue.task(limit_key="account:{account}", transactional=True, ordered=True)
def book(conn: Any, account: str) -> None: ...


@pgqueue.task(limit_key="stripe", rate="5/s")
def charge(order: int) -> None: ...


@pgqueue.task(concurrency=5)
def report() -> None: ...


@pgqueue.task(limit_key="shop:{shop}", cron="@daily")
def count(shop: int = 7) -> None: ...


def loose(tenant_id: int, to: str = "", *more: str) -> None: ...
