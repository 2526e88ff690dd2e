"""The functions and views of the schema: their texts, and the stamp that says whose they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from pgqueue.store.rights.matrix import texts
from pgqueue.store.schema import OLDEST_SERVED
from pgqueue.version import __version__


def repeatables() -> Iterator[str]:
    """The text of every function and view, in the order in which they can be created."""
    for file in sorted(_functions(), key=lambda entry: entry.name):
        yield file.read_text()
    for file in sorted((_SQL / "views").iterdir(), key=lambda entry: entry.name):
        yield file.read_text()


def text_of(function: str) -> str:
    """The text of one function, in whichever room it is."""
    return next(file.read_text() for file in _functions() if file.name == f"{function}.sql")


def stamp() -> str:
    """The statement that writes whose functions these are, and which code they serve."""
    served = f"serves code from {OLDEST_SERVED}"
    return f"comment on schema pgqueue is 'pgqueue, a job queue; {served}; functions of {__version__}, {_checksum()}'"


def serves(comment: str) -> bool:
    """Whether the functions of a schema with this comment are these, or those of a later release."""
    stamp = re.search(r"functions of (\d+)\.(\d+)\.(\d+), ([0-9a-f]{16})$", comment)
    if stamp is None:
        return False
    release = tuple(int(number) for number in stamp.groups()[:3])
    return release > _release() or (release == _release() and stamp[4] == _checksum())


def _release() -> tuple[int, ...]:
    return tuple(int(number) for number in __version__.split("."))


def _checksum() -> str:
    # With the rights: a migration gives them anew where they have changed.
    return hashlib.sha256("\n".join([*repeatables(), texts()]).encode()).hexdigest()[:16]


def _functions() -> Iterator[Traversable]:
    return (file for room in (_SQL / "functions").iterdir() for file in room.iterdir())


_SQL = files("pgqueue.store") / "sql"
