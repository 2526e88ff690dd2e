"""The fields of a cron rule: what may stand in each, what is wrong with one, and which right one is nearest."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, its numbers, its words, and what else it takes, as a pattern of a whole part."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    special: str = r"(?!)"


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31, special=r"l|\?|\d+w|w\d+"),
    Field("month", 1, 12, _MONTHS),
    Field("day of the week", 0, 7, _DAYS, special=r"l\d|\?|(\w+)(-\w+)?#[1-5]"),
    Field("second", 0, 59),
)
# Chosen by chance, or by a number that is not said: each worker would have another time.
_RANDOM = re.compile(r"[hr](\(.*\))?(/\d+)?")
_PART = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>\w+))?", re.ASCII)


def fields_of(text: str) -> list[str]:
    """The fields of a rule, with `@daily` and the like written out."""
    lowered = text.lower().strip()
    return ALIASES.get(lowered, lowered).split()


def fault_in(text: str) -> str | None:
    """What is wrong with a rule, and the nearest right one; None if its fields are well."""
    lowered = text.lower().strip()
    if lowered.startswith("@") and lowered not in ALIASES:
        near = difflib.get_close_matches(lowered, ALIASES, n=1)
        meant = f"did you mean {near[0]}?" if near else f"it takes {', '.join(ALIASES)}"
        return f"knows no {text!r:.80}; {meant}"
    found = fields_of(text)
    if len(found) not in (5, 6):
        return (
            f"has 5 fields (minute, hour, day of the month, month, day of the week), or 6 with seconds behind them,"
            f" got {len(found)} in {text!r:.80}"
        )
    faults = [fault for field, said in zip(FIELDS, found, strict=False) if (fault := _fault_of(field, said))]
    if not faults:
        return None
    mended = " ".join(_mended(field, said) for field, said in zip(FIELDS, found, strict=False))
    meant = f"; did you mean {mended!r}?" if _is_well(mended) else _advice(found)
    return f"{faults[0]}, got {text!r:.80}{meant}"


def _is_well(text: str) -> bool:
    return not any(_fault_of(field, said) for field, said in zip(FIELDS, text.split(), strict=False))


def _advice(found: list[str]) -> str:
    shifted = [*found[1:], found[0]]
    if len(found) == 6 and _is_well(" ".join(shifted)):
        return f"; the seconds come last here: {' '.join(shifted)!r}"
    return ""


def _fault_of(field: Field, said: str) -> str | None:
    for part in said.split(","):
        if (fault := _fault_of_part(field, part)) is not None:
            return f"{fault} in the field {field.name}"
    return None


def _fault_of_part(field: Field, part: str) -> str | None:
    if _RANDOM.fullmatch(part):
        return f"takes no {part!r}, which each worker would understand in another way,"
    if re.fullmatch(field.special, part):
        names = [name for name in re.split(r"[-#]", part.partition("#")[0]) if "#" in part and name]
        return next((fault for name in names if (fault := _fault_of_value(field, name))), None)
    found = _PART.fullmatch(part)
    if found is None:
        return f"cannot read {part!r}"
    first, last, step = found["first"], found["last"], found["step"]
    for value in (first, last):
        if value not in (None, "*") and (fault := _fault_of_value(field, value)):
            return fault
    if last is not None and first == last:
        return f"would take {part!r} for all there is; write {first!r}"
    if step is None:
        return None
    most = field.high - field.low
    if not step.isdecimal() or not 1 <= int(step) <= most:
        return f"has steps from 1 to {most}, not {step!r},"
    return None


def _fault_of_value(field: Field, value: str) -> str | None:
    if value.isdecimal():
        if field.low <= int(value) <= field.high:
            return None
        return f"has numbers from {field.low} to {field.high}, not {value},"
    if value in field.words or (value == "l" and field.special.startswith("l|")):
        return None
    return f"knows no {value!r}"


def _mended(field: Field, said: str) -> str:
    """The field with each word that it does not know replaced by the nearest one that it does."""

    def nearest(found: re.Match[str]) -> str:
        word = found[0]
        if word in field.words or word == "l" or not field.words:
            return word
        if same := [known for known in field.words if sorted(known) == sorted(word)]:
            return same[0]
        return next(iter(difflib.get_close_matches(word, field.words, n=1, cutoff=0.5)), word)

    return re.sub(r"[a-z]+", nearest, said)
