"""An app of another team on the same database: never imported by the tests' own process."""

from __future__ import annotations

import pgqueue


@pgqueue.task(store_result=True)
def hello(name: str) -> str:
    return f"hello {name}"


def plain(name: str) -> None:
    """A plain function, which its worker names beside its tasks."""
