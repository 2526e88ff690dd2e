"""What is said of roles that were given their rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgqueue.cli.errors import say

if TYPE_CHECKING:
    from pgqueue.granting import Given


def say_given(given: Given) -> None:
    """Say what it took, and who has lost something by it."""
    if given.statements:
        say(f"the roles have their rights: {given.statements} of them were given or taken")
    else:
        say("the roles have their rights; nothing had to change")
    if given.bereft:
        who = ", ".join(given.bereft)
        say(f"functions were taken from {who}, because some run as their owner now: make them members of the roles")
