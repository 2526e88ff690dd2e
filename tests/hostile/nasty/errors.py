"""Jobs that raise what nobody should."""

from __future__ import annotations

import sys
from typing import Any, NoReturn


class Foreign(BaseException):
    """No Exception at all."""


class Mute(Exception):
    """An exception that says nothing but trouble."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __str__(self) -> str:
        match self.how:
            case "raises":
                raise RuntimeError("no words")
            case "exits":
                sys.exit(5)
            case "interrupts":
                raise KeyboardInterrupt
            case "recurses":
                return str(self)
            case "lies":
                return 42  # type: ignore[return-value]
            case _:
                return Tricky("a text that is no plain one")

    __repr__ = __str__


class Tricky(str):
    """A text of a class that only the child knows, and that breaks when looked at."""

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def replace(self, *args: Any) -> str:
        raise SystemExit(6)

    def __reduce__(self) -> NoReturn:
        raise SystemExit(7)


class Masked(type):
    """The type of a type that hides its name."""

    def __getattribute__(cls, name: str) -> Any:
        if name in ("__name__", "__qualname__", "__module__"):
            raise SystemExit(8)
        return super().__getattribute__(name)


class Nameless(Exception, metaclass=Masked):
    """An exception whose type cannot be named."""


def raise_builtin(name: str) -> NoReturn:
    kinds: dict[str, type[BaseException]] = {
        kind.__name__: kind
        for kind in (SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, MemoryError, RecursionError, Foreign)
    }
    raise kinds[name]("on purpose")


async def raise_builtin_async(name: str) -> NoReturn:
    raise_builtin(name)


def raise_mute(how: str) -> NoReturn:
    raise Mute(how)


def raise_nameless() -> NoReturn:
    raise Nameless("who am I")


def raise_circular() -> NoReturn:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    first.__context__, second.__context__ = second, first
    raise first


def raise_chain(length: int) -> NoReturn:
    error = ValueError("the first")
    for number in range(length):
        follower = ValueError(f"number {number}")
        follower.__cause__ = error
        error = follower
    raise error


def raise_group(members: int) -> NoReturn:
    raise ExceptionGroup("many", [ValueError(str(number)) for number in range(members)])


def raise_nested_group(depth: int) -> NoReturn:
    error: Exception = ValueError("innermost")
    for _ in range(depth):
        error = ExceptionGroup("one more", [error])
    raise error


def raise_long(megabytes: int) -> NoReturn:
    raise ValueError("x" * (megabytes << 20))


def raise_deep(frames: int) -> NoReturn:
    sys.setrecursionlimit(frames + 1000)

    def deeper(left: int) -> None:
        if not left:
            raise ValueError("from the bottom")
        deeper(left - 1)

    deeper(frames)
    raise AssertionError


def raise_unstorable_text() -> NoReturn:
    raise ValueError("a NUL \0 and a lone \ud800 surrogate")


def raise_with_notes() -> NoReturn:
    error = ValueError("annotated")
    error.__notes__ = [Mute("exits"), 7, "fine"]
    raise error


def recurse() -> None:
    recurse()
