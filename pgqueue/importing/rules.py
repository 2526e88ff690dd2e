"""Rules that make a target of the name that a task has in another queue: `shop.mail.* = shop.tasks:*`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgqueue.errors import OptionError


@dataclass(frozen=True, slots=True)
class Rule:
    """Names like `old` mean `new`; what the star of `old` stands for is put in place of that of `new`."""

    old: str
    new: str

    def applied(self, name: str) -> str | None:
        """The target that a name means; None if the rule is not about it."""
        first, star, rest = self.old.partition("*")
        if not star:
            return self.new if name == self.old else None
        fits = len(name) >= len(first) + len(rest) and name.startswith(first) and name.endswith(rest)
        return self.new.replace("*", name[len(first) : len(name) - len(rest)]) if fits else None


def rule_of(text: str) -> Rule:
    """`OLD=NEW` as a rule. Raises OptionError."""
    old, sign, new = (part.strip() for part in text.partition("="))
    if not (old and sign and new):
        raise OptionError(f"a rule reads OLD=NEW, such as 'shop.mail.*=shop.tasks:*', got {text.strip()!r:.100}")
    if old.count("*") > 1 or new.count("*") > old.count("*"):
        raise OptionError(
            f"a rule has one star, and in NEW only if OLD has one, got {text.strip()!r:.100}; write one for each name"
        )
    return Rule(old, new)


def rules_in(text: str) -> list[Rule]:
    """The rules of a file, one a line; `#` begins a comment. Raises OptionError, with the number of the line."""
    rules = []
    for number, line in enumerate(text.splitlines(), 1):
        if said := line.partition("#")[0].strip():
            try:
                rules.append(rule_of(said))
            except OptionError as error:
                raise OptionError(f"line {number}: {error}") from None
    return rules


def target_for(name: str, rules: Sequence[Rule]) -> str | None:
    """What a name means: the first rule that is about it says so; else its last dot becomes a colon.

    None if there is no rule, and no dot.
    """
    for rule in rules:
        if (target := rule.applied(name)) is not None:
            return target
    module, dot, function = name.rpartition(".")
    return f"{module}:{function}" if dot else None
