"""A company of players on the session's server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.enumerator.company import Company, Sabotage, assembled
from tests.postgres import TEMPLATE, Databases

Assemble = Callable[[Sabotage], Company]


@pytest.fixture
def assemble(databases: Databases) -> Iterator[Assemble]:
    """Assemble a company whose databases are spoiled by `sabotage`."""
    with ExitStack() as stack:
        yield lambda sabotage: stack.enter_context(assembled(databases.server, TEMPLATE, sabotage))


@pytest.fixture(scope="session")
def company(databases: Databases) -> Iterator[Company]:
    """A company for all tests: its databases are wiped before each play."""
    with assembled(databases.server, TEMPLATE) as company:
        yield company
