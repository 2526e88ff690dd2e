"""The catalogue of attacks says nothing that no test does."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.security.catalogue import rows

# So many the page is to have at least.
FEWEST = 60


def test_the_catalogue_has_its_rows_each_with_an_attack_and_what_happens() -> None:
    found = rows()
    assert len(found) >= FEWEST
    assert [row.number for row in found] == [str(number) for number in range(1, len(found) + 1)]
    assert [row.number for row in found if not (row.attack and row.happens and row.tests)] == []
    attacks = [row.attack.casefold() for row in found]
    assert [attack for attack in attacks if attacks.count(attack) > 1] == []


def test_each_row_names_a_test_that_is_there_and_runs() -> None:
    missing = [
        f"{row.number}: {path.name}::{name}"
        for row in rows()
        for path, name in row.tests
        if name not in defined_in(path)
    ]
    assert missing == []


def test_a_row_has_tests_of_its_own() -> None:
    named = [row.tests for row in rows()]
    assert [tests for tests in named if named.count(tests) > 1] == []


@cache
def defined_in(path: Path) -> frozenset[str]:
    """The tests that a file defines, but for those that are always skipped or expected to fail."""
    if not path.is_file():
        return frozenset()
    functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
    return frozenset(function.name for function in functions if not any(map(_never_passes, function.decorator_list)))


def _never_passes(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in ("skip", "xfail")
