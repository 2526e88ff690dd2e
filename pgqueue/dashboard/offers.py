"""Which actions stand beside a thing for whoever looks: each as a button, or greyed with the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pgqueue.dashboard.actions import ACTIONS
from pgqueue.dashboard.actions.action import Action
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.links import Addresses


@dataclass(frozen=True, slots=True)
class Offer:
    """An action on one thing: its address, and why the user may not."""

    action: Action
    address: str
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Offers:
    """Finds the actions for templates: `offers('job', shown)`; none where nobody may act."""

    user: User
    here: Addresses
    is_acting: bool

    def __call__(self, subject: str, thing: Any, *names: str) -> Sequence[Offer]:
        """The actions that fit a thing, in order; with names those alone, also such as stand apart."""
        if not self.is_acting:
            return []
        return [
            Offer(each, self.address(each, thing), refusal(self.user, each))
            for each in ACTIONS
            if each.on.name == subject and (each.name in names if names else not each.apart) and each.fits(thing)
        ]

    def address(self, action: Action, thing: Any) -> str:
        """Where an action on a thing is done."""
        return self.here.page("act", on=action.on.name, name=action.name, of=action.on.key(thing))


def refusal(user: User, action: Action) -> str | None:
    """Why a user may not do this; None if they may."""
    if action.needs_all_queues and user.queues is not None:
        return "This touches what belongs to others, too: it is for those who see all queues."
    if user.may(action.permission):
        return None
    return f"You may not: the role {user.role} lacks the permission {action.permission}."
