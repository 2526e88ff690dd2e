"""An exception as texts that PostgreSQL can store; whatever it does when it is looked at stays in here.

What a server said in it of rows is left out (server_details.py).

Exceptions are the user's code: `str(error)` may exit, recurse, or answer a text of a class that breaks when it is cut;
a type may hide its name; ten thousand of them may hang on one.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable

from pgqueue.server_details import without_details

# Enough to understand any error; a message of 50 MB must not fill the history.
MESSAGE_LIMIT = 4_000
TRACEBACK_LIMIT = 20_000
NAME_LIMIT = 500

# Of a traceback the innermost frames say most.
_FRAMES = 50
# With more causes and members than this, an exception is described without them: all would be formatted.
_MOST_RELATED = 200
_MEMBERS_SHOWN = 5
# Takes out of a text what nobody is to see, before it is cut.
Clean = Callable[[str], str]
# As `type` itself has them: a metaclass may put a property in front.
_QUALNAME = type.__dict__["__qualname__"]
_MODULE = type.__dict__["__module__"]


def type_name(error: BaseException) -> str:
    """The name of its type, with the module unless that is builtins."""
    kind = type(error)
    name = storable(_QUALNAME.__get__(kind), NAME_LIMIT)
    try:
        module = _MODULE.__get__(kind)
    except AttributeError:
        return name
    return storable(f"{module}.{name}", NAME_LIMIT) if type(module) is str and module != "builtins" else name


def message_of(error: BaseException, clean: Clean = str) -> str:
    """What it says about itself."""
    try:
        said = str(error)
        if isinstance(error, BaseExceptionGroup):
            said += f", first {_first_of(error)}"
        return storable(clean(without_details(_plain(said), error)), MESSAGE_LIMIT)
    except BaseException as second:
        return f"(its __str__ raised {type_name(second)})"


def _first_of(group: BaseExceptionGroup[BaseException]) -> str:
    """The first error in a group of errors, or of groups of them: the group itself says how many they are."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return f"{type_name(first)}: {first}"


def traceback_of(error: BaseException, clean: Clean = str) -> str | None:
    """The innermost frames, with causes and members if they are not too many; None if there is no telling."""
    try:
        if not _is_sprawling(error):
            text = "".join(traceback.format_exception(error, limit=-_FRAMES))
            return storable(clean(without_details(text, error)), TRACEBACK_LIMIT)
    except BaseException:
        # Nested too deep to format, or broken in a part that only formatting looks at.
        pass
    try:
        return _short_traceback(error, clean)
    except BaseException:
        return None


def storable(text: str, limit: int) -> str:
    """Bounded text that PostgreSQL accepts; of a long one the beginning and the end remain."""
    text = _plain(text)
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}\n... {len(text) - 2 * half:,} characters left out ...\n{text[-half:]}"
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


def _plain(text: str) -> str:
    """Of str itself, whatever class it had: it travels to the worker, which must not need that class."""
    return "".join((text, ""))


def _is_sprawling(error: BaseException) -> bool:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        if len(seen) == _MOST_RELATED:
            return True
        seen.add(id(each))
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions[: _MOST_RELATED + 1]
    return False


def _short_traceback(error: BaseException, clean: Clean) -> str:
    frames = traceback.format_tb(error.__traceback__, limit=-_FRAMES)
    lines = ["Traceback (most recent call last):\n", *frames, f"{type_name(error)}: {message_of(error, clean)}\n"]
    if isinstance(error, BaseExceptionGroup):
        members = error.exceptions
        lines += [f"  {type_name(each)}: {message_of(each, clean)}\n" for each in members[:_MEMBERS_SHOWN]]
        lines.append(f"  ... of {len(members):,} exceptions\n")
    else:
        lines.append("(its causes, and theirs, are too many to show)\n")
    return storable("".join(lines), TRACEBACK_LIMIT)
