"""A limit key that is made from the arguments of a call: `tenant:{tenant_id}`."""

from __future__ import annotations

import inspect
import json
import string
from collections.abc import Mapping, Sequence
from typing import Any

from pgqueue.codec import encode_args
from pgqueue.errors import ArgumentError, OptionError
from pgqueue.job import Args
from pgqueue.secrecy import Secrecy

_NAMED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_MISSING = inspect.Parameter.empty


class LimitKey:
    """The key of each call, from a template; `rule` is the name of the limit of all of them.

    Raises OptionError for a template that names no argument of `signature`, or says nothing before the first.
    """

    def __init__(self, template: str, target: str, signature: inspect.Signature) -> None:
        self.template = template
        self._target = target
        # What stands before each argument, and the argument; the last has none.
        self._parts = _parts(template)
        names = [name for _, name in self._parts if name is not None]
        beginning = self._parts[0][0] if self._parts else ""
        if names and not beginning:
            raise OptionError(
                f"limit_key must begin with a text of its own, got {template!r:.80}: its limit is that of all keys that"
                f" begin alike; write '{names[0].removesuffix('_id')}:{template}'"
            )
        if "*" in beginning:
            raise OptionError(f"limit_key must have no * before its arguments, got {template!r:.80}")
        named = [each for each in signature.parameters.values() if each.kind in _NAMED]
        if unknown := sorted(set(names) - {each.name for each in named}):
            known = ", ".join(each.name for each in named) or "none"
            raise OptionError(
                f"limit_key {template!r:.80} names {unknown[0]!r}, which {target} does not take; its arguments are"
                f" {known}"
            )
        self.rule = f"{beginning}*" if names else beginning
        # Where each argument stands in a list, and what it is if a call leaves it out.
        places = {each.name: (number, each.default) for number, each in enumerate(named)}
        self._places = {name: places[name] for name in names}

    def check_shown(self, secrecy: Secrecy) -> None:
        """Raise OptionError if the key is made of a sensitive argument: keys are shown everywhere."""
        if hidden := [name for _, name in self._parts if name is not None and secrecy.at_name(name)]:
            raise OptionError(
                f"limit_key {self.template!r:.80} is made of {hidden[0]}, which is sensitive, and keys are shown; give"
                " each call a limit_key of its own, made of a hash"
            )

    def of(self, args: Args) -> str:
        """The key of a call with these arguments. Raises ArgumentError if they have no part of it."""
        key = ""
        for text, name in self._parts:
            key += text if name is None else f"{text}{self._part(name, args)}"
        return key

    def _part(self, name: str, args: Args) -> str:
        value = self._value(name, args)
        if value is _MISSING:
            raise ArgumentError(
                f"{self._target}: limit_key {self.template!r} needs {name}, which the call does not give"
            )
        if type(value) not in (str, int):
            value = json.loads(encode_args([value]))[0]
        if not isinstance(value, str | int | float):
            raise ArgumentError(
                f"{self._target}: limit_key {self.template!r} is made of {name}, which must be a text or a number, got"
                f" {value!r:.80}; or give the call a limit_key of its own"
            )
        return value if isinstance(value, str) else json.dumps(value)

    def _value(self, name: str, args: Args) -> Any:
        place, default = self._places[name]
        if isinstance(args, Mapping):
            return args.get(name, default)
        if isinstance(args, Sequence) and place < len(args):
            return args[place]
        return default


def _parts(template: str) -> list[tuple[str, str | None]]:
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise OptionError(f"limit_key {template!r:.80} cannot be read: {error}; write {{{{ for a brace") from None
    for _, name, spec, conversion in parsed:
        if name is not None and (not name.isidentifier() or spec or conversion):
            raise OptionError(
                f"limit_key takes arguments by name alone, as 'tenant:{{tenant_id}}', got {template!r:.80}"
            )
    return [(text, name) for text, name, _, _ in parsed]
