"""What an action is: on what it is done, what its button says, who may, what is asked before, and what does it.

    RESUME = Action(
        "resume",
        on=QUEUE,
        words="Resume",
        permission="pause",
        fits=lambda queue: queue.is_paused,
        act=lambda conn, doing: resumed(conn, doing),
    )

Named in `actions.ACTIONS` it has its address, its button where its subject is shown, and its form, which needs no
script. The guard, the audit and the way back to the page are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from pgqueue.acting import Actor
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.fields import Field
from pgqueue.dashboard.pages.page import LONGEST_NAME
from pgqueue.redaction import Redaction

Where = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What actions are done on: how one is found for who asks, what it is called, and which page shows it.

    `find` takes the key that the address has, of so many letters at the `longest`, and raises Missing for what does not
    exist for the user.
    """

    name: str
    find: Callable[[Conn, User, str], Any]
    key: Callable[[Any], str]
    called: Callable[[Any], str]
    page: Callable[[str], Where]
    longest: int = LONGEST_NAME


@dataclass(frozen=True, slots=True)
class Doing:
    """An action under way: on what, for whom, and what was filled in, by the names of the fields.

    `stood` is what had stood in them when the form was opened.
    """

    thing: Any
    user: User
    actor: Actor
    redaction: Redaction = field(default_factory=Redaction)
    values: Mapping[str, Any] = field(default_factory=dict)
    stood: Mapping[str, str] = field(default_factory=dict)

    def changed(self, fields: Sequence[Field]) -> dict[str, Any]:
        """The values of those fields that somebody has changed in the form; None where one was emptied."""
        stood = {each.name: each.value([self.stood.get(each.name, each.now(self))]) for each in fields}
        return {name: self.values[name] for name, before in stood.items() if self.values[name] != before}


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an action: what is said of it, whether it was done, and the page to go to if not back.

    `wakes`: it left a bulk action to whoever drives it.
    """

    said: str
    done: bool = True
    to: Where | None = None
    wakes: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """An action whose answer is a page of its own, which has no address: a template, and its values."""

    template: str
    values: Mapping[str, Any]


def _always(_thing: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Action:
    """Something that people may do.

    `fits` says of a thing whether its button is there. `asks` is what is asked before; without it, and without fields,
    the button does it at once. `about` says more on the form, `shows` is a template that stands above its fields. One
    that is `apart` is not among the buttons of its subject: a template names it where it belongs. What
    `needs_all_queues` is not for those who see some alone. `refuses` says of a key why the user may not with that one.
    """

    name: str
    _: KW_ONLY
    on: Subject
    words: str
    permission: str
    act: Callable[[Conn, Doing], Done | Shown]
    fields: Sequence[Field] = ()
    asks: Callable[[Any], str] | None = None
    about: str | None = None
    fits: Callable[[Any], bool] = _always
    shows: str | None = None
    apart: bool = False
    needs_all_queues: bool = False
    refuses: Callable[[str, User, Redaction], str | None] | None = None

    @property
    def is_direct(self) -> bool:
        """Whether the button does it at once."""
        return self.asks is None and not self.fields

    @property
    def path(self) -> str:
        """Its address below the dashboard."""
        return f"/act/{self.on.name}/{self.name}"
