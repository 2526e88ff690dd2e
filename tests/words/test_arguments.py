"""Arguments by their types: out by their own, in by annotations; and what is refused, and with which words."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import inspect
import io
import json
import pathlib
import threading
import typing
import uuid
import warnings
from collections.abc import Callable
from dataclasses import InitVar, dataclass
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgqueue.arguments.annotations import Readers
from pgqueue.arguments.durations import duration_of, iso_duration
from pgqueue.arguments.mismatch import Mismatch, said
from pgqueue.arguments.signature import Conversion, Fit, annotations_of
from pgqueue.codec import encode, encode_args
from pgqueue.errors import ArgumentError, SizeWarning
from tests.words import typed_values as kinds
from tests.words.test_codec import JSON, TEXTS
from tests.words.typed_values import Colour, Level, Line, Node, Order, Page, Point, Size

ZONES = st.integers(-1439, 1439).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
MOMENTS = st.datetimes(timezones=ZONES)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)
LINES = st.builds(Line, sku=TEXTS, price=AMOUNTS, tags=st.frozensets(TEXTS, max_size=3))
DATES = st.dates()
NODES: st.SearchStrategy[Node] = st.recursive(
    st.builds(Node, DATES),
    lambda inner: st.builds(Node, DATES, st.lists(inner, max_size=2), st.none() | inner),
    max_leaves=4,
)
ORDERS = st.builds(
    Order,
    MOMENTS,
    st.lists(st.builds(Line, sku=TEXTS, price=AMOUNTS.filter(lambda price: price >= 0)), max_size=3),
    st.none() | st.sampled_from(Colour),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "datetime": MOMENTS,
    "date": DATES,
    "time": st.times() | st.times(timezones=ZONES),
    "timedelta": st.timedeltas(),
    "uuid": st.uuids(),
    "decimal": AMOUNTS,
    "bytes": st.binary(),
    "colour": st.sampled_from(Colour),
    "level": st.sampled_from(Level),
    "size": st.sampled_from(Size),
    "path": st.sampled_from([pathlib.PurePosixPath(text) for text in (".", "/a/b", "ä/b.txt")]),
    "tuple": st.tuples(st.integers(), DATES),
    "tuples": st.lists(AMOUNTS).map(tuple),
    "set": st.sets(st.uuids()),
    "frozenset": st.frozensets(TEXTS),
    "mapping": st.dictionaries(st.integers(), DATES),
    "by uuid": st.dictionaries(st.uuids(), st.lists(st.binary())),
    "point": st.builds(Point, AMOUNTS, AMOUNTS),
    "address": st.fixed_dictionaries({"since": DATES}, optional={"street": TEXTS}),
    "line": LINES,
    "order": ORDERS,
    "node": NODES,
    "page": st.builds(Page, st.lists(AMOUNTS), st.none() | AMOUNTS),
    "date page": st.builds(kinds.DatePage, st.lists(DATES), st.none() | DATES, TEXTS),
    "optional": st.none() | MOMENTS,
    "number or day": st.integers() | DATES,
    "moments": st.none() | MOMENTS | DATES | st.uuids(),
    "pets": st.lists(
        st.builds(kinds.Cat, st.just("cat"), DATES) | st.builds(kinds.Dog, st.just("dog"), MOMENTS), max_size=3
    ),
    "literal": st.sampled_from(["a", 1, Colour.RED]),
    "nested": st.dictionaries(
        TEXTS,
        st.lists(st.none() | st.tuples(st.sampled_from(Level), st.builds(Page, st.lists(LINES, max_size=2)))),
        max_size=2,
    ),
    "alias": st.uuids(),
}


def reader_of(annotation: Any) -> Callable[[Any], Any]:
    readers = Readers()
    reader = readers.of(annotation)
    assert readers.doubts == []
    return reader or (lambda value: value)


READERS = {name: reader_of(annotation) for name, annotation in kinds.KINDS.items()}


@pytest.mark.parametrize("kind", VALUES)
@settings(max_examples=25)
@given(data=st.data())
def test_what_goes_in_as_it_is_arrives_as_the_annotation_says(kind: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[kind])
    text = encode([value], "args")
    arrived = READERS[kind](json.loads(text)[0])
    assert arrived == value
    assert type(arrived) is type(value)
    # Written again it is the same: whoever has the JSON alone can pass it on.
    assert encode([arrived], "args") == text


@given(JSON)
def test_json_arrives_unchanged_under_annotations_that_say_nothing_more(value: Any) -> None:
    for annotation in (Any, object, dict, list[Any], dict[str, Any], int, str | None, list[dict[str, float]]):
        assert Readers().of(annotation) is None
    assert json.loads(encode([value], "args")) == [value]


@given(JSON | st.dates().map(str) | st.uuids().map(str) | MOMENTS.map(dt.datetime.isoformat))
def test_no_json_breaks_a_reader_but_by_a_mismatch_that_can_be_told(value: Any) -> None:
    told = []
    for reader in READERS.values():
        try:
            reader(value)
        except Mismatch as mismatch:
            told.append(said(mismatch, "args"))
    assert all(each.startswith("args") and len(each) < 2_000 for each in told)


@given(st.timedeltas())
def test_a_duration_is_said_as_iso_8601_has_it(length: dt.timedelta) -> None:
    assert duration_of(iso_duration(length)) == length


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (dt.timedelta(), "PT0S"),
        (dt.timedelta(days=1, hours=2, minutes=3, seconds=4.5), "P1DT2H3M4.5S"),
        (dt.timedelta(hours=-23), "PT-23H"),
        (dt.timedelta(seconds=-0.5), "PT-0.5S"),
        (dt.timedelta(days=400), "P400D"),
    ],
)
def test_durations_are_written_as_postgresql_writes_intervals(length: dt.timedelta, text: str) -> None:
    assert iso_duration(length) == text


@pytest.mark.parametrize("text", ["P", "PT", "P1Y", "P1M", "1D", "P1DT", "", "PT1.S", "P" + "9" * 20 + "D", "P٣D"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        duration_of(text)


def test_durations_of_other_hands_are_read() -> None:
    assert duration_of("P1W") == dt.timedelta(days=7)
    assert duration_of("-P1DT1H") == -dt.timedelta(days=1, hours=1)
    assert READERS["timedelta"](90) == dt.timedelta(seconds=90)
    assert READERS["decimal"](12.5) == decimal.Decimal("12.5")
    assert READERS["datetime"]("2026-02-28 09:30:00.5+00").microsecond == 500_000


WRITTEN: list[tuple[Any, Any]] = [
    (dt.datetime(2026, 2, 28, 9, 30, tzinfo=dt.UTC), "2026-02-28T09:30:00+00:00"),
    (decimal.Decimal("12.50"), "12.50"),
    (b"\x00\xff", "AP8="),
    (Colour.CRIMSON, "red"),
    (Level.HIGH, 2),
    (kinds.Right.READ | kinds.Right.WRITE, 3),
    (kinds.Pair.AB, ["a", 1]),
    (Size.BIG, "big"),
    (pathlib.Path("/a/b"), "/a/b"),
    ({3, 1, 2}, [1, 2, 3]),
    (Point(decimal.Decimal(1)), ["1", "0"]),
    (Line(sku="a", price=decimal.Decimal(2)), {"sku": "a", "price": "2", "tags": []}),
    ({1: "a", uuid.UUID(int=5): "b", Colour.RED: "c"}, {"1": "a", str(uuid.UUID(int=5)): "b", "red": "c"}),
    (Order(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)), {"made": "2026-01-01T00:00:00+00:00", "lines": [], "colour": None}),
]


@pytest.mark.parametrize(("value", "as_json"), WRITTEN)
def test_a_reader_of_another_language_sees_what_the_guide_says(value: Any, as_json: Any) -> None:
    assert json.loads(encode(value, "args")) == as_json
    # The fast way and the careful one agree.
    assert json.loads(encode([value, "x" * 1_000], "args"))[0] == as_json


def test_enums_arrive_by_value_flags_together_and_pairs_too() -> None:
    assert reader_of(kinds.Right)(3) == kinds.Right.READ | kinds.Right.WRITE
    assert reader_of(kinds.Pair)(["a", 1]) is kinds.Pair.AB
    with pytest.raises(Mismatch, match='Colour, one of "red", "green"'):
        reader_of(Colour)("blue")


def test_models_of_pydantic_go_by_their_aliases_and_judge_what_comes() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Customer(pydantic.BaseModel):  # type: ignore[misc,name-defined]  # known where pydantic is
        name: str = pydantic.Field(alias="customerName")
        since: dt.date
        line: Line | None = None

    known = Customer(customerName="Ann", since="2026-02-28", line=Line(sku="a", price=decimal.Decimal("1.50")))
    text = encode([known], "args")
    assert json.loads(text)[0]["customerName"] == "Ann"
    assert json.loads(text)[0]["line"]["price"] == "1.50"
    read = reader_of(dict[str, list[Customer] | None])
    assert read({"a": json.loads(text), "b": None}) == {"a": [known], "b": None}
    with pytest.raises(Mismatch) as caught:
        read({"a": [{"customerName": "Ann", "since": "4815"}]})
    assert said(caught.value, "args").startswith('args["a"][0]: expected Customer, got an object with')
    assert "4815" not in said(caught.value, "args", shown=False)


def test_what_a_class_is_made_with_and_does_not_keep_may_have_a_default() -> None:
    assert reader_of(kinds.Lazy)({"shown": 2, "factor": 5}).shown == 10

    @dataclass
    class Bad:
        seed: InitVar[int]

    with pytest.raises(ArgumentError, match=r"args\[0\]: Bad is made with seed, which it does not keep"):
        encode_args([Bad(1)])


@pytest.mark.parametrize(
    ("annotation", "value", "words"),
    [
        (dt.datetime, "2026-02-28T09:30:00", "args: expected a datetime with its offset"),
        (dt.datetime, "soon", 'as 2026-02-28T09:30:00+00:00, got "soon"'),
        (dt.date, "2026-02-30", 'a date as 2026-02-28, got "2026-02-30"'),
        (uuid.UUID, 5, "expected a UUID as 018f2b3c-0000-7000-8000-000000000000, got 5"),
        (decimal.Decimal, "NaN", "a decimal number"),
        (bytes, "é", "bytes as base64"),
        (Order, {"lines": []}, "an object with the fields of Order, and made among them, got an object with 'lines'"),
        (Line, {"sku": "a", "price": "1", "colour": 1}, "which has no 'colour'"),
        (
            dict[str, list[Line]],
            {"a": [{"sku": "a", "price": "x"}]},
            'args["a"][0]["price"]: expected a decimal number as "12.50", got "x"',
        ),
        (Order, {"made": "2026-01-01T00:00Z", "lines": [{"sku": "", "price": "-1"}]}, "ValueError: an order of less"),
        (set[Any], [[1]], "unhashable type: 'list'"),
        (tuple[int, dt.date], [1], "a list of 2, got a list of 1"),
        (dict[int, dt.date], {"x": "2026-01-01"}, "a whole number as a key"),
        (dt.datetime | int, [], "datetime or int, got a list of 0"),
        (dt.datetime, 10**90, "got an endless number"),
        (dt.datetime, "x" * 5_000, '"...'),
        (Literal["a", "b"], "c", 'one of "a", "b", got "c"'),
    ],
)
def test_a_value_that_does_not_decode_is_told_with_its_path_and_what_was_expected(
    annotation: Any, value: Any, words: str
) -> None:
    with pytest.raises(Mismatch) as caught:
        reader_of(annotation)(value)
    assert words in said(caught.value, "args")


def test_what_nests_too_deep_for_a_recursive_type_is_a_mismatch_and_not_a_crash() -> None:
    nest: dict[str, Any] = {"day": "2026-01-01"}
    for _ in range(5_000):
        nest = {"day": "2026-01-01", "parent": nest}
    with pytest.raises(RecursionError) as caught:
        READERS["node"](nest)
    assert said(caught.value, "args") == "args: nested too deep to be read"


@pytest.mark.parametrize(
    ("annotation", "doubt"),
    [
        (dt.datetime | str, "datetime and str look alike in JSON"),
        (Line | Order, "Line and Order look alike in JSON"),
        (Colour | Literal["red"], "look alike"),
        (bytes | decimal.Decimal, "look alike"),
        (dt.datetime | threading.Thread, "what JSON has of Thread is not known"),
        ("Unknown", "speaks of itself, or of a name that is not there"),
    ],
)
def test_what_may_be_read_in_two_ways_is_left_as_it_is_and_told(annotation: Any, doubt: str) -> None:
    readers = Readers()
    assert readers.of(annotation) is None
    assert doubt in "".join(readers.doubts)


@pytest.mark.parametrize(
    "annotation",
    [threading.Thread, typing.List, typing.Tuple, type[int], Callable[[int], str]],  # noqa: UP006  # as others write
)
def test_annotations_that_json_knows_nothing_of_change_nothing(annotation: Any) -> None:
    reader = reader_of(annotation)
    assert list(reader([1])) == [1]


def convert(function: Callable[..., Any]) -> Conversion | None:
    return annotations_of(function, inspect.signature(function)).conversion


def test_a_function_of_plain_annotations_has_no_conversion_at_all() -> None:
    for function in (kinds.plain, kinds.bare):
        assert annotations_of(function, inspect.signature(function)) == (None, None, [])


def test_arguments_are_read_by_place_by_name_and_where_they_are_left_over() -> None:
    conversion = convert(kinds.typed)
    assert conversion is not None
    one = uuid.UUID(int=1)
    args, kwargs = conversion(
        ["2026-01-01T00:00:00Z", "2026-01-02", str(one)], {"key": str(one), "order": None, "home": "/a", "base": "b"}
    )
    assert args == [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.date(2026, 1, 2), one]
    assert kwargs == {"key": one, "order": None, "home": pathlib.Path("/a"), "base": pathlib.Path("b")}
    with pytest.raises(Mismatch) as caught:
        conversion([], {"day": 1})
    assert said(caught.value, "args").startswith('args["day"]: expected a date')


def test_annotations_that_cannot_be_evaluated_are_told_and_the_others_hold() -> None:
    found = annotations_of(kinds.unresolvable, inspect.signature(kinds.unresolvable))
    assert found.conversion is not None
    assert found.conversion(["as it is"], {"when": "2026-01-01T00:00:00Z", "price": "12"}) == (
        ["as it is"],
        {"when": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "price": "12"},
    )
    assert "a: the annotation Missing cannot be evaluated" in found.doubts[0]
    assert "look alike in JSON" in found.doubts[1]


SIGNATURES = [
    kinds.plain,
    kinds.bare,
    kinds.typed,
    lambda: None,
    lambda a, b: None,
    lambda a, b=1, /: None,
    lambda *, a, b=2: None,
    lambda a, *b: None,
]


@given(st.sampled_from(SIGNATURES), st.lists(st.just(0), max_size=4), st.sets(st.sampled_from("abcde")), st.booleans())
def test_arguments_fit_where_they_can_be_bound_and_nowhere_else(
    function: Callable[..., Any], args: list[int], names: set[str], both: bool
) -> None:
    kwargs = dict.fromkeys(names, 0) if both or not args else {}
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **kwargs)
        fault = None
    except TypeError as error:
        fault = str(error)
    assert Fit(signature).fault(args, kwargs) == fault


class _Mapped:
    __mapper__ = object()


class _Model:
    _meta = object()
    _default_manager = object()


@dataclass
class _MappedToo(_Mapped):
    id: int


async def _coroutine() -> None: ...


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (_Mapped, "pass its id"),
        (_Model, "pass its id"),
        (lambda: _MappedToo(1), "pass its id"),
        (_coroutine, "await it, and pass what comes of it"),
        (lambda: (each for each in ()), "pass list(...)"),
        (lambda: {}.keys(), "pass list(...)"),
        (lambda: io.StringIO(), "pass its path, or what it holds"),
        (lambda: len, "pass its name"),
        (lambda: Colour, "pass its name"),
        (lambda: json, "pass its name"),
        (lambda: __import__("sqlite3").connect(":memory:"), "let the task open its own"),
        (threading.Lock, "pass its id"),
        (lambda: type("Array", (), {"tolist": list})(), "pass .tolist()"),
        (lambda: kinds.KINDS.__class__.fromkeys("a").__class__.__dict__, "pass dict(...)"),
    ],
)
def test_what_no_argument_can_be_is_refused_with_what_to_pass(make: Callable[[], Any], advice: str) -> None:
    value = make()
    try:
        with pytest.raises(ArgumentError) as caught:
            encode_args({"it": value})
        assert str(caught.value) == f'args["it"]: {type(value).__name__} is not JSON serialisable; {advice}' or (
            advice in str(caught.value) and "task" in advice
        )
    finally:
        getattr(value, "close", lambda: None)()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (dt.datetime(2026, 1, 1), "a datetime without a zone"),
        (dt.time(9, tzinfo=__import__("zoneinfo").ZoneInfo("Europe/Berlin")), "no offset in this zone"),
        (decimal.Decimal("sNaN"), "is not JSON"),
        (Line(sku="\ud800", price=decimal.Decimal(1)), '["sku"]: holds a lone surrogate'),
        (Line(sku=10**5000, price=decimal.Decimal(1)), "more than 1,000 digits"),  # type: ignore[arg-type]
        ({frozenset({1}): 1}, "is not a text"),
        ([{float("nan")}], "nan is not JSON"),
    ],
)
def test_what_cannot_be_said_is_refused_wherever_it_stands(value: Any, words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        encode_args([value])
    assert words in str(caught.value)


def test_a_circle_of_dataclasses_is_told_and_not_followed() -> None:
    node = Node(dt.date(2026, 1, 1))
    node.parent = node
    with pytest.raises(ArgumentError, match="nested deeper than 200 levels"):
        encode_args([node])


def test_large_arguments_are_warned_of_once_a_place_and_very_large_ones_refused() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for _ in range(3):
            encode_args({"small": 1, "image": b"x" * 60_000})
    (only,) = told
    assert only.category is SizeWarning
    assert only.filename == __file__
    assert 'args are 78 kB (args["image"] alone 59 kB)' in str(only.message)
    with pytest.raises(ArgumentError, match=r"1.4 MB, more than 1.0 MB.*pass its id or path, or say max_args="):
        encode_args(["x" * 1_500_000])
    # Bytes count, not letters.
    with pytest.raises(ArgumentError, match=r"1.1 MB"):
        encode_args(["ä" * 600_000])
    # Who allows more has thought of it.
    assert len(encode_args(["x" * 1_500_000], 2_000_000)) == 1_500_004
    with pytest.raises(ArgumentError, match=r"more than 1\.9 MB"):
        encode_args(["x" * 2_500_000], 2_000_000)


def test_a_coroutine_that_is_refused_was_never_awaited(recwarn: pytest.WarningsRecorder) -> None:
    waiting = _coroutine()
    with pytest.raises(ArgumentError, match="await it"):
        encode_args([waiting])
    waiting.close()
    assert asyncio.iscoroutine(waiting)
