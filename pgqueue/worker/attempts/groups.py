"""Exception groups, as of asyncio.TaskGroup and anyio: one whose exceptions are all of one kind counts as that kind."""

from __future__ import annotations

from collections.abc import Callable

from pgqueue.errors import LeaseLost
from pgqueue.outcome import Bury, Cancel, Retry, Snooze

# With more exceptions than this a group is judged as what it is.
_MOST_MEMBERS = 1_000


def of_one_kind(error: BaseException) -> BaseException:
    """The exception that decides: of a group whose members all choose the same outcome one of them, else itself."""
    members = members_of(error)
    if len(members) > 1 or members[0] is not error:
        for kind in (LeaseLost, Bury, Cancel):
            if all(isinstance(each, kind) for each in members):
                return members[0]
        for waits in (Snooze, Retry):
            if all(isinstance(each, waits) for each in members):
                # None, as the policy says, only where nobody says more.
                return max(members, key=lambda each: -1.0 if each.delay is None else each.delay)  # type: ignore[attr-defined]
    return error


def are_all(error: BaseException, claim: Callable[[BaseException], bool]) -> bool:
    """Whether it is so for an exception, or for all members of a group."""
    return claim(error) or all(claim(each) for each in members_of(error))


def members_of(error: BaseException) -> list[BaseException]:
    """The exceptions of a group and of the groups in it; of any other exception, or of too large a group, itself."""
    members: list[BaseException] = []
    waiting = [error]
    for _ in range(2 * _MOST_MEMBERS):
        if not waiting:
            return members or [error]
        each = waiting.pop()
        if isinstance(each, BaseExceptionGroup):
            waiting += reversed(each.exceptions)
        else:
            members.append(each)
    return [error]
