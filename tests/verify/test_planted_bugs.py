"""The planted bugs: each fits the function that is installed, or says that it does not."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from pgqueue.errors import PgqueueError, UsageError
from pgqueue.verify.planted_bugs import EDITS, PlantedBug, named, plant

TEXT = "select prosrc from pg_proc where pronamespace = 'pgqueue'::regnamespace and proname = %s order by pronargs desc"


@pytest.mark.parametrize("bug", PlantedBug)
def test_a_bug_can_be_planted_in_the_function_as_it_is(conn: psycopg.Connection[Any], bug: PlantedBug) -> None:
    before = conn.execute(TEXT, [EDITS[bug][0].function]).fetchone()
    plant(conn, bug)
    assert conn.execute(TEXT, [EDITS[bug][0].function]).fetchone() != before


@pytest.mark.parametrize("bug", PlantedBug)
def test_a_function_that_is_another_is_left_alone(conn: psycopg.Connection[Any], bug: PlantedBug) -> None:
    plant(conn, bug)
    with pytest.raises(PgqueueError, match=f"{bug} cannot be planted: in pgqueue.{EDITS[bug][0].function}"):
        plant(conn, bug)


def test_an_unknown_bug_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"one of settle-fence, fail-fence, lease-check, .*, gate-early, got 'fence'"):
        named("fence")
