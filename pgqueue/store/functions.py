"""The functions and views of the schema, of this release or of an earlier one: their texts, and their stamp."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from pgqueue.store.schema import OLDEST_SERVED
from pgqueue.store.stamp import Stamp
from pgqueue.version import __version__, numbers

_STORE = files("pgqueue.store")
# Who may do what: a migration gives it anew where it has changed.
_RIGHTS = ("functions.txt", "relations.txt")


def repeatables() -> Iterator[str]:
    """The text of every function and view, in the order in which they can be created."""
    yield from functions_in(_STORE)
    yield from views_in(_STORE)


def functions_in(store: Traversable) -> Iterator[str]:
    """The text of every function of a release, of which this is the folder pgqueue/store."""
    for file in sorted(_functions(store), key=lambda entry: entry.name):
        yield file.read_text(encoding="utf-8")


def views_in(store: Traversable) -> Iterator[str]:
    """The text of every view of a release, in the order in which they can be created."""
    for file in sorted((store / "sql" / "views").iterdir(), key=lambda entry: entry.name):
        yield file.read_text(encoding="utf-8")


def text_of(function: str) -> str:
    """The text of one function, in whichever room it is."""
    return next(file.read_text() for file in _functions(_STORE) if file.name == f"{function}.sql")


def own_stamp(served: str = "") -> Stamp:
    """The stamp of these functions, in a schema that serves no code older than `served` any more."""
    return Stamp(max(OLDEST_SERVED, served), __version__, checksum(_STORE))


def serves(stamp: Stamp) -> bool:
    """Whether the functions of a schema with this stamp are these, or those of a later release."""
    if not stamp.release:
        return False
    release, own = numbers(stamp.release), numbers(__version__)
    return release > own or (release == own and stamp.checksum == checksum(_STORE))


def checksum(store: Traversable) -> str:
    """What tells the functions, views and rights of a release from all others."""
    rights = [file.read_text(encoding="utf-8") for name in _RIGHTS if (file := store / "rights" / name).is_file()]
    texts = [*functions_in(store), *views_in(store), *rights]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _functions(store: Traversable) -> Iterator[Traversable]:
    return (file for room in (store / "sql" / "functions").iterdir() for file in room.iterdir())
