"""What a task says of its arguments that nobody is to see: paths into them, whether given by place or by name."""

from __future__ import annotations

import inspect
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

from pgqueue.errors import OptionError

# What leads to a value: names of arguments, keys, places in lists, and ANY for each of them.
Path = tuple[str, ...]
# What is left of paths at a value; an empty one is that value itself.
Paths = frozenset[Path]
ANY = "*"
NOWHERE: Paths = frozenset()
ALL: Paths = frozenset({()})
MOST, DEEPEST, LONGEST = 100, 20, 500
# In front of a path as in a search; an argument may have that name, too.
_ROOT = "args"
_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Secrecy:
    """The paths, and the parameters that tell which argument stands where.

    `names` can be given by place, `keywords` by name alone; `rest` and `more` take what is left over of each.
    """

    paths: Paths
    names: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    rest: str | None = None
    more: str | None = None

    @classmethod
    def of(cls, sensitive: Any, target: str, signature: inspect.Signature) -> Self | None:
        """What `sensitive=` says of the arguments of a function; None if that is nothing.

        Raises OptionError, also for what the function does not take: a slip of the pen would hide nothing.
        """
        kinds = inspect.Parameter
        parameters = signature.parameters.values()
        names = tuple(each.name for each in parameters if each.kind in _BY_PLACE)
        keywords = tuple(each.name for each in parameters if each.kind is kinds.KEYWORD_ONLY)
        rest = next((each.name for each in parameters if each.kind is kinds.VAR_POSITIONAL), None)
        more = next((each.name for each in parameters if each.kind is kinds.VAR_KEYWORD), None)
        if sensitive is True:
            return cls(ALL, names, keywords, rest, more)
        texts = _texts(sensitive)
        known = {*names, *keywords, *filter(None, (rest, more))}
        paths = {path for text in texts for path in _paths(text, known)}
        unknown = sorted({path[0] for path in paths} - known - {ANY, *map(str, range(len(names)))})
        if unknown and more is None and not (rest is not None and all(each.isdigit() for each in unknown)):
            takes = ", ".join(sorted(known)) or "nothing"
            raise OptionError(f"sensitive names {unknown[0]!r:.80}, which {target} does not take; it takes {takes}")
        return cls(frozenset(paths), names, keywords, rest, more) if paths else None

    @classmethod
    def read(cls, text: str) -> Self:
        """What said() wrote; what cannot be read hides everything."""
        try:
            match json.loads(text):
                case {"paths": [*paths], "names": [*names], "keywords": [*keywords], "rest": rest, "more": more}:
                    return cls(
                        frozenset(tuple(map(str, path)) for path in paths),
                        tuple(map(str, names)),
                        tuple(map(str, keywords)),
                        None if rest is None else str(rest),
                        None if more is None else str(more),
                    )
        except (ValueError, TypeError, RecursionError):
            pass
        return cls(ALL)

    def said(self) -> str:
        """The same as a text, for the database and for whoever reads it there."""
        values = {
            "paths": sorted(self.paths),
            "names": self.names,
            "keywords": self.keywords,
            "rest": self.rest,
            "more": self.more,
        }
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    def at_place(self, number: int) -> Paths:
        """What is left of the paths at an argument given by place."""
        found = into(self.paths, str(number))
        if number < len(self.names):
            return found | into(self.paths, self.names[number])
        if self.rest is not None:
            return found | into(into(self.paths, self.rest), str(number - len(self.names)))
        return found

    def at_name(self, name: str) -> Paths:
        """What is left of the paths at an argument given by name."""
        found = into(self.paths, name)
        if name in self.names:
            return found | into(self.paths, str(self.names.index(name)))
        if self.more is not None and name not in self.keywords:
            return found | into(into(self.paths, self.more), name)
        return found


def into(paths: Paths, key: str) -> Paths:
    """What is left of paths one step further in; what lies in a value that is hidden is hidden."""
    return frozenset(path[1:] for path in paths if not path or path[0] in (ANY, key))


def _texts(sensitive: Any) -> Collection[str]:
    if sensitive is False:
        return ()
    if isinstance(sensitive, str):
        raise OptionError(
            f"sensitive must be a list of names, or True, got {sensitive!r:.80}; write ({sensitive!r:.80},)"
        )
    if not isinstance(sensitive, tuple | list | set | frozenset) or not all(
        isinstance(each, str) for each in sensitive
    ):
        raise OptionError(f"sensitive must be True, or names as ('email', 'args.*.iban'), got {sensitive!r:.80}")
    if len(sensitive) > MOST:
        raise OptionError(f"sensitive takes {MOST} names, got {len(sensitive)}; say True to hide all arguments")
    return sensitive


def _paths(text: str, known: Collection[str]) -> list[Path]:
    path = tuple(text.split("."))
    if not all(path) or len(path) > DEEPEST or len(text) > LONGEST or "\x00" in text or not _is_unicode(text):
        raise OptionError(f"sensitive takes names joined by dots, as 'email' or 'args.*.iban', got {text!r:.80}")
    if path[0] != _ROOT:
        return [path]
    # Of all arguments; or of the one that is called so.
    return [path[1:], path] if _ROOT in known else [path[1:]]


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
