"""What stands behind the question mark of an address: each parameter by name, and what it may say."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from starlette.datastructures import QueryParams

from pgqueue.dashboard.api.problems import Problem, wrong
from pgqueue.dashboard.pages.page import LONGEST_NAME

NAMES = "the route's parameters stand in openapi.json"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an address, and its JSON schema."""

    name: str
    says: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string", "maxLength": LONGEST_NAME})
    required: bool = False

    def check(self, value: str) -> None:
        """Raise Problem for what it cannot say."""
        if "\0" in value or len(value) > self.schema.get("maxLength", LONGEST_NAME):
            raise self._wrong("a text of up to 1,000 characters")
        if self.schema["type"] == "integer":
            least, most = self.schema["minimum"], self.schema["maximum"]
            if not (value.isascii() and value.isdigit() and len(value) < 20 and least <= int(value) <= most):
                raise self._wrong(f"a whole number from {least} to {most}")
        elif "enum" in self.schema and value not in self.schema["enum"]:
            raise self._wrong(f"one of {', '.join(self.schema['enum'])}")
        elif self.schema.get("format") == "uuid":
            try:
                UUID(value)
            except ValueError:
                raise self._wrong("the id of a job, such as 01900000-0000-7000-8000-000000000000") from None
        elif "pattern" in self.schema and not re.fullmatch(self.schema["pattern"], value):
            raise self._wrong(f"a text of the form {self.schema['pattern']}")
        elif self.required and not value:
            raise self._wrong("a name")

    def _wrong(self, meant: str) -> Problem:
        return wrong(f"{self.name} is {meant}", f"send {self.name} as that, or leave it out")


def name(says: str, called: str = "name") -> Parameter:
    """A name that the address must have, as it is."""
    return Parameter(called, says, required=True)


def number(called: str, says: str, most: int, *, usual: int | None = None, least: int = 1) -> Parameter:
    """A whole number."""
    default = {} if usual is None else {"default": usual}
    return Parameter(called, says, {"type": "integer", "minimum": least, "maximum": most, **default})


def choice(called: str, says: str, of: Sequence[str]) -> Parameter:
    """One of a few words."""
    return Parameter(called, says, {"type": "string", "enum": [str(each) for each in of]})


def flag(called: str, says: str) -> Parameter:
    """Whether; it is said by `true`."""
    return Parameter(called, says, {"type": "string", "enum": ["true", "false"], "default": "false"})


def job(called: str, says: str) -> Parameter:
    """The id of a job."""
    return Parameter(called, says, {"type": "string", "format": "uuid"})


AFTER = Parameter("after", "only what stands behind this, which is `next` of the page before")
BEFORE = job("before", "only jobs with a lower id: `next` of the page before")
BEFORE_NUMBER = number("before", "only those with a lower number: `next` of the page before", 2**63 - 1)


def limit(most: int, usual: int) -> Parameter:
    """How many at most."""
    return number("limit", "how many at most", most, usual=usual)


def checked(known: Sequence[Parameter], given: QueryParams) -> dict[str, str]:
    """The parameters of an address. Raises Problem for one that is wrong, stands twice, or is not known."""
    by_name = {each.name: each for each in known}
    said: dict[str, str] = {}
    for called, value in given.multi_items():
        if called not in by_name:
            nearest = difflib.get_close_matches(called, by_name, n=1)
            meant = f"; did you mean {nearest[0]}?" if nearest else f"; there are {', '.join(by_name) or 'none'}"
            raise wrong(f"there is no parameter {called[:80]!r} here{meant}", NAMES)
        if called in said:
            raise wrong(f"{called} stands twice", "send it once")
        by_name[called].check(value)
        said[called] = value
    for each in known:
        if each.required and not said.get(each.name):
            raise wrong(f"{each.name} is missing: {each.says}", f"add ?{each.name}=...")
    return said
