"""Put the functions of an earlier release in the place of this one's, from that release's own package.

For whoever finds that a function of the new release is what went wrong, and cannot wait for the next one. Tables and
views stay: they only grew. `pgqueue migrate` puts this release's functions back.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

import sqlalchemy
from psycopg import errors

from pgqueue import migrate
from pgqueue.contracting import told
from pgqueue.errors import SchemaError, UsageError
from pgqueue.giving_way import patiently
from pgqueue.granting import give
from pgqueue.store import execute
from pgqueue.store.functions import checksum, functions_in
from pgqueue.store.schema import fix_search_paths, live_releases
from pgqueue.store.stamp import Stamp, stamp_there
from pgqueue.version import __version__, numbers


@dataclass(frozen=True, slots=True)
class OlderRelease:
    """What the package of an earlier release says of itself: its functions' stamp, and the newest revision it knows."""

    stamp: Stamp
    newest: str
    functions: tuple[str, ...]


def apply_functions_of(dsn: str, package: Path) -> str:
    """Make the functions of the release in `package`, a wheel or a folder that holds `pgqueue`; answers its version.

    Raises UsageError if that is no earlier release. Raises SchemaError if the schema does not serve its code any more,
    if a worker of a later release lives, or if one of its functions cannot replace this one's; DatabaseUnreachable.
    """
    older = read_release(package)

    def act() -> str:
        with migrate.opened(dsn) as conn, conn.begin():
            before = migrate.take_turn(conn)
            if before.state != "current":
                raise SchemaError("the schema is not this code's yet; run `pgqueue migrate` first")
            there = execute(conn, stamp_there())
            _refuse(conn, older, there)
            for text in older.functions:
                _make(conn, text, older.stamp.release)
            serves = max(older.stamp.serves, there.serves)
            migrate.run(conn, Stamp(serves, older.stamp.release, older.stamp.checksum).written())
            execute(conn, fix_search_paths())
            # Made anew, a function runs with its caller's rights again.
            give(conn)
            return older.stamp.release

    return patiently(dsn, act)


def read_release(package: Path) -> OlderRelease:
    """The release in a wheel, or below a folder. Raises UsageError if there is none, or not an earlier one."""
    root: Traversable = zipfile.Path(package) if zipfile.is_zipfile(package) else package
    try:
        version = _said(root / "pgqueue" / "version.py", "__version__")
        store = root / "pgqueue" / "store"
        serves, newest = _said(store / "schema.py", "OLDEST_SERVED"), _said(store / "schema.py", "NEWEST_REVISION")
        functions = tuple(functions_in(store))
        stamp = Stamp(serves, version, checksum(store))
    except OSError as error:
        raise UsageError(
            f"{package} is no release of pgqueue: give its wheel (`pip download --no-deps pgqueue-postgres==VERSION`),"
            f" or a folder that holds its package ({error})"
        ) from error
    if numbers(version) >= numbers(__version__):
        raise UsageError(f"{package} is pgqueue {version}, which is no earlier release than this one, {__version__}")
    return OlderRelease(stamp, newest, functions)


def _said(file: Traversable, name: str) -> str:
    found = re.search(rf'^{name} = "([\w.]+)"$', file.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{file.name} does not say {name}")
    return found[1]


def _refuse(conn: sqlalchemy.Connection, older: OlderRelease, there: Stamp) -> None:
    if there.serves > older.newest:
        raise SchemaError(
            f"the schema serves no code as old as pgqueue {older.stamp.release} any more, which knows revision"
            f" {older.newest}: what that uses was dropped by `pgqueue migrate --contract`"
        )
    release = numbers(older.stamp.release)
    later = [each for each in execute(conn, live_releases()) if each[0] is None or numbers(each[0]) > release]
    if later:
        raise SchemaError(
            f"workers live that need functions later than those of {older.stamp.release}, or have not said yet of which"
            f" release they are ({told(later)}); stop them first: pgqueue workers list -v"
        )


def _make(conn: sqlalchemy.Connection, text: str, release: str) -> None:
    try:
        migrate.run(conn, text)
    except errors.InvalidFunctionDefinition as error:
        raise SchemaError(
            f"a function of pgqueue {release} cannot take the place of a later one ({error.diag.message_primary});"
            " nothing was changed"
        ) from error
