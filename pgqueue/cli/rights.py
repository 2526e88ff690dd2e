"""What is said of roles that were given their rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgqueue.cli.errors import say

if TYPE_CHECKING:
    from pgqueue.granting import Given


def say_given(given: Given) -> None:
    """Say what it took, and who has lost something by it."""
    say(in_words(given))
    say_bereft(given)


def in_words(given: Given) -> str:
    """What it took."""
    if given.statements:
        return f"the roles have their rights: {given.statements} of them were given or taken"
    return "the roles have their rights; nothing had to change"


def say_bereft(given: Given) -> None:
    """Say who has lost something by it."""
    if given.bereft:
        who = ", ".join(given.bereft)
        say(f"functions were taken from {who}, because some run as their owner now: make them members of the roles")
