"""Classes and functions whose annotations say more than JSON does."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import pathlib
import typing
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypedDict, TypeVar

if typing.TYPE_CHECKING:
    from nowhere import Missing  # type: ignore[import-not-found]

T = TypeVar("T")
OrderId = NewType("OrderId", uuid.UUID)
Tree = dict[str, "Tree"]


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"
    CRIMSON = "red"  # noqa: PIE796  # an alias


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Pair(enum.Enum):
    AB = ("a", 1)


class Size(enum.StrEnum):
    BIG = "big"


class Point(NamedTuple):
    x: decimal.Decimal
    y: decimal.Decimal = decimal.Decimal(0)


class Address(TypedDict):
    since: dt.date
    street: NotRequired[str]


@dataclass
class Base:
    made: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    sku: str
    price: decimal.Decimal
    tags: frozenset[str] = frozenset()


@dataclass
class Order(Base):
    lines: list[Line] = field(default_factory=list)
    colour: Colour | None = None
    total: decimal.Decimal = field(init=False)

    def __post_init__(self) -> None:
        self.total = sum((line.price for line in self.lines), decimal.Decimal(0))
        if self.total < 0:
            raise ValueError("an order of less than nothing")


@dataclass
class Node:
    day: dt.date
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None


@dataclass
class Page(Generic[T]):
    items: list[T]
    after: T | None = None


@dataclass
class DatePage(Page[dt.date]):
    title: str = ""


@dataclass
class Lazy:
    shown: int
    factor: InitVar[int] = 2

    def __post_init__(self, factor: int) -> None:
        self.shown *= 1 if factor == 2 else factor


@dataclass
class Cat:
    kind: Literal["cat"]
    born: dt.date


@dataclass
class Dog:
    kind: Literal["dog"]
    walked: dt.datetime


def plain(a: int, b: str = "", *c: float, d: list[int] | None = None, **e: dict[str, Any]) -> Mapping[str, Any]: ...


def bare(a, b=1, *c, **d):  # type: ignore[no-untyped-def]  # that is what is tested
    return a


def unresolvable(a: Missing, when: dt.datetime, price: decimal.Decimal | str) -> None: ...


def typed(
    when: dt.datetime,
    /,
    day: dt.date,
    *rest: uuid.UUID,
    order: Order | None = None,
    key: Annotated[OrderId, "of the shop"] | None = None,
    **more: pathlib.Path,
) -> Sequence[Colour]: ...


KINDS: dict[str, Any] = {
    "datetime": dt.datetime,
    "date": dt.date,
    "time": dt.time,
    "timedelta": dt.timedelta,
    "uuid": uuid.UUID,
    "decimal": decimal.Decimal,
    "bytes": bytes,
    "colour": Colour,
    "level": Level,
    "size": Size,
    "path": pathlib.PurePosixPath,
    "tuple": tuple[int, dt.date],
    "tuples": tuple[decimal.Decimal, ...],
    "set": set[uuid.UUID],
    "frozenset": frozenset[str],
    "mapping": dict[int, dt.date],
    "by uuid": Mapping[uuid.UUID, list[bytes]],
    "point": Point,
    "address": Address,
    "line": Line,
    "order": Order,
    "node": Node,
    "page": Page[decimal.Decimal],
    "date page": DatePage,
    "optional": dt.datetime | None,
    "number or day": int | dt.date,
    "moments": dt.datetime | dt.date | uuid.UUID | None,
    "pets": list[Cat | Dog],
    "literal": Literal["a", 1, Colour.RED],
    "nested": dict[str, list[tuple[Level, Page[Line]] | None]],
    "alias": OrderId,
}
