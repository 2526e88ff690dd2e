"""What is signed has one form, and no two jobs have the same one; what the database fills in is taken out again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgqueue.signing import Kind, Seal, SignedTerms
from pgqueue.signing.seal import LONGEST, headers_in, sealed
from pgqueue.signing.terms import marks, packed
from pgqueue.signing.unfilled import without_ended, without_filled

values = st.one_of(st.text(), st.integers())


@given(st.lists(values), st.lists(values))
def test_no_two_lists_of_values_have_the_same_bytes(one: list[str | int], other: list[str | int]) -> None:
    assert (b"".join(map(packed, one)) == b"".join(map(packed, other))) == (one == other)


@given(st.text(), st.text(), st.text(), st.text())
def test_what_moves_from_one_value_to_the_next_shows(a: str, b: str, c: str, d: str) -> None:
    one = SignedTerms(kind=Kind.JOB, about=a, target=b, args="{}", labels={"x": "1"})
    other = SignedTerms(kind=Kind.JOB, about=c, target=d, args="{}", labels={"x": "1"})
    assert (one.signed_bytes("k", 1) == other.signed_bytes("k", 1)) == ((a, b) == (c, d))


def test_the_order_of_labels_is_no_matter() -> None:
    one, other = (
        SignedTerms(kind=Kind.JOB, about="i", target="a:b", args="{}", labels=labels)
        for labels in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    )
    assert one.signed_bytes("k", 1) == other.signed_bytes("k", 1)


def test_a_seal_is_read_as_it_was_written() -> None:
    terms = SignedTerms(kind=Kind.JOB, about="i", target="a:b", args="{}", filled=("0", "+", 'a":'))
    seal = Seal(Kind.JOB, "2026.11_a-b", 1_700_000_000_000, None, "qt", marks(terms.parts()), b"s" * 64, terms.filled)
    assert Seal.read(seal.text()) == seal
    assert Seal.read(seal.text()[:-1]) is None
    assert Seal.read(seal.text().replace("1j:", "2j:")) is None


@pytest.mark.parametrize("text", ["", "1j", "1j:a:1:::", "x" * 10_000, "1j:a:1:::" + "0" * 66 + ":!!!!" * 20])
def test_what_is_no_seal_is_none(text: str) -> None:
    assert Seal.read(text) is None


def test_a_seal_fits_among_headers_though_others_are_long() -> None:
    seal = Seal(Kind.JOB, "a", 1, None, "", "0" * 66, b"s" * 32)
    long = '{"traceparent": "t", "baggage": "' + "x" * 8_100 + '"}'
    written = sealed(long, seal)
    assert len(written) <= LONGEST
    assert headers_in(written).keys() == {"traceparent", "pgqueue-signature"}


@pytest.mark.parametrize(
    ("args", "filled", "signed"),
    [
        ('[[1,2],"x"]', ("0",), '[null,"x"]'),
        ('[{"a":[1]},7,8.50]', ("+",), "[7,8.50]"),
        ("[3]", ("+",), "{}"),
        ('[1,[2],{"k":"],"}]', ("+", "1"), "[[2],null]"),
        ('{"a":1.0,"r":[{"x":"}"}],"q":2}', ("r", "q"), '{"a":1.0}'),
        ('{"r":1}', ("r",), "{}"),
    ],
)
def test_arguments_are_signed_without_what_is_filled_in(args: str, filled: tuple[str, ...], signed: str) -> None:
    assert without_filled(args, filled) == signed


def test_a_follow_up_is_signed_without_the_job_that_has_ended() -> None:
    assert without_ended('{"ended":{"id":"x","args":[{"ended":1}]},"why":"a, b"}') == '{"why":"a, b"}'
    assert without_ended('{"ended":{}}') == "{}"
    assert without_ended('{"why":1,"ended":{}}') is None


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_whatever_stands_in_place_of_arguments_hurts_nobody(text: str) -> None:
    without_ended(text or "x")
    without_filled(text, ("0", "a"))
