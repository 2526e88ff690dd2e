"""Tasks whose arguments are more than JSON, and tasks with codecs."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
import zlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import psycopg

import pgqueue
from tests.words.typed_values import Colour, Line, Order

pgqueue.register_codec("zip", zlib.compress, zlib.decompress)
pgqueue.register_codec(
    "values", lambda value: repr(value).encode(), lambda data: eval(data, {"datetime": dt}), takes="values"
)


@pgqueue.task(store_result=True, max_attempts=1)
def ship(order: Order, when: dt.datetime, *, by: Colour = Colour.RED) -> dict[uuid.UUID, Order]:
    assert isinstance(when, dt.datetime)
    assert isinstance(order, Order)
    assert isinstance(by, Colour)
    assert pgqueue.current_job().args["when"] == when.isoformat()
    return {uuid.UUID(int=7): order}


@pgqueue.task(store_result=True, max_attempts=1)
async def ship_async(order: Order, when: dt.datetime) -> Order:
    assert isinstance(when, dt.datetime)
    return order


@pgqueue.task(store_result=True, max_attempts=1, transactional=True)
def ship_with(conn: psycopg.Connection[Any], /, when: dt.date, *lines: Line) -> list[Line]:
    assert conn.execute("select %s::date", [when]).fetchone() == (when,)
    return list(lines)


def plain_ship(when: dt.date) -> dt.date:
    return when


@pgqueue.task(sensitive=("born", "card"), max_attempts=1)
def enrol(born: dt.date, card: bytes, name: str = "") -> None:
    raise ValueError(f"{name} was born {born!r} or {born:%Y-%m-%d} and has {card!r}")


@pgqueue.task(store_result=True, codec="zip", max_attempts=3)
def read(text: str, day: dt.date | None = None) -> tuple[str, dt.date | None]:
    return text, day


@pgqueue.task(store_result=True, codec="zip", max_attempts=1, transactional=True)
def read_with(conn: psycopg.Connection[Any], text: str) -> str:
    return text


@pgqueue.task(store_result=True, codec="zip", max_attempts=1)
async def read_async(text: str) -> str:
    return text


@pgqueue.task(codec="zip", sensitive=("pin",), max_attempts=1)
def pay(pin: str, amount: int) -> None:
    raise ValueError(f"pin {pin}, amount {amount}")


@pgqueue.task(store_result=True, codec="values", max_attempts=1)
def take(values: Any, when: dt.datetime) -> Any:
    assert isinstance(when, dt.datetime)
    return values


@pgqueue.task(codec="of nobody", max_attempts=1)
def sealed_for_others(text: str) -> None: ...


@pgqueue.task
def plain(number: int, more: dict[str, Any] | None = None) -> int:
    return number


def giving(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that gives the function something more."""

    @wraps(function)
    def with_session(*args: Any, **kwargs: Any) -> Any:
        return function("session", *args, **kwargs)

    return with_session


@pgqueue.task(store_result=True)
@giving
def given(session: str, day: dt.date) -> str:
    return f"{session} {day!r}"


def as_text(value: Any) -> str:
    return json.dumps(value, default=str)


def price(amount: decimal.Decimal) -> decimal.Decimal:
    return amount
