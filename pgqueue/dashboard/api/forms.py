"""What an action would be done with: its fields and what stands in them now, as its page shows before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgqueue.dashboard.actions.action import Action, Doing
from pgqueue.dashboard.actions.meant import Meant
from pgqueue.dashboard.api.meant import MeantAnswer, meant_answer
from pgqueue.dashboard.fields import Field


@dataclass(frozen=True, slots=True)
class FieldAnswer:
    """A field: `now` is what stands in it unless it is sent. A hidden one says what was seen; send it as it came."""

    name: str
    label: str
    hint: str
    kind: str
    choices: Sequence[str]
    required: bool
    now: str | None


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """What an action is done on, as it is `called`; what it means, what is `asked` before, and its fields.

    `fits` is whether a page would show its button now; `meant` the preview of a bulk action.
    """

    called: str
    about: str | None
    asked: str | None
    fits: bool
    fields: list[FieldAnswer]
    meant: MeantAnswer | None


def form_answer(action: Action, doing: Doing, fields: Sequence[Field]) -> FormAnswer:
    """The form of an action on one thing."""
    thing = doing.thing
    return FormAnswer(
        action.on.called(thing),
        action.about,
        None if action.asks is None else action.asks(thing),
        action.fits(thing),
        [_field(field, doing) for field in fields],
        meant_answer(thing, doing.redaction) if isinstance(thing, Meant) else None,
    )


def _field(field: Field, doing: Doing) -> FieldAnswer:
    now = None if field.kind == "many" else field.now(doing)
    return FieldAnswer(
        field.name, field.label, field.hint, field.kind, [value for value, _ in field.choices], field.required, now
    )
