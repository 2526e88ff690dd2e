"""A task of plain arguments and one of typed ones, to be measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pgqueue


@dataclass
class Line:
    sku: str
    price: Decimal


@pgqueue.task
def plain(order_id: int, copies: int = 1, note: str | None = None) -> None: ...


@pgqueue.task
def typed(order_id: UUID, due: datetime, lines: list[Line]) -> None: ...
