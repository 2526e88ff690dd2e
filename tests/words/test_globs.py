"""Which names a glob means, in Python and in SQL alike."""

from __future__ import annotations

import psycopg
import pytest

from pgqueue import globs

NAMES = [
    "email",
    "email.",
    "email.x",
    "email.x.y",
    "emailx",
    "slow",
    "a%b",
    "a_b",
    "axb",
    "a!b",
    "a\\b",
    "é",
    "a\nb",
    "",
]
PATTERNS = ["email.*", "email*", "*", "?", "*.y", "e?ail", "a%b", "a_b", "a?b", "a!b", "!?", "a\\b", "slow", "*a*b*"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_glob_means_the_same_names_in_python_and_in_sql(conn: psycopg.Connection[object], pattern: str) -> None:
    sql = "select name from unnest(%s::text[]) as name where pgqueue.is_like(%s, name)"
    assert [name for (name,) in conn.execute(sql, [NAMES, pattern])] == [
        name for name in NAMES if globs.matches(pattern, name)
    ]


@pytest.mark.parametrize(
    "said", [None, [], ["email"], ["email.*", "slow"], ["*", "!slow"], ["email*", "!*.y", "!email"], ["a%b"], ["!x"]]
)
def test_what_a_worker_serves_is_the_same_in_python_and_in_sql(
    conn: psycopg.Connection[object], said: list[str] | None
) -> None:
    sql = "select name from unnest(%s::text[]) as name where pgqueue.serves(%s::text[], name)"
    assert [name for (name,) in conn.execute(sql, [NAMES, said])] == [
        name for name in NAMES if globs.serves(said, name)
    ]


def test_only_stars_and_question_marks_are_more_than_themselves() -> None:
    assert globs.matches("a[bc]", "a[bc]")
    assert not globs.matches("a[bc]", "ab")
    assert not globs.matches("email.*", "email")
    assert globs.matches("*", "")


def test_the_pattern_that_says_most_is_best() -> None:
    patterns = ["video.*", "*", "video.encode:*", "video.encode:run", "*.encode:run"]
    assert globs.best(patterns, "video.encode:run") == "video.encode:run"
    assert globs.best(patterns, "video.encode:stop") == "video.encode:*"
    assert globs.best(patterns, "video.cut:run") == "video.*"
    assert globs.best(patterns[:1], "audio:run") is None
    # As many letters: the first in order.
    assert globs.best(["b*", "?b", "*b"], "bb") == "*b"
