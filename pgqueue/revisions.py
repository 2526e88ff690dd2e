"""The chain of migrations, each a revision of the schema: Alembic, which no other module knows."""

from __future__ import annotations

import io
import re
import threading
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

# Alembic keeps the migration that runs in globals of its own: in one process there can be one at a time.
_alembic = threading.Lock()


@dataclass(frozen=True, slots=True)
class Revision:
    """One migration, as SQL: what is built `beside` the work before it, its own `statements`, and what it leaves to be
    dropped once no code needs it any more (`contract`).
    """

    name: str
    beside: tuple[str, ...]
    statements: tuple[str, ...]
    contract: tuple[str, ...]


def names() -> list[str]:
    """The names of all revisions, the oldest first."""
    return [entry.revision for entry in _script().walk_revisions()][::-1]


def current(conn: sqlalchemy.Connection) -> str | None:
    """The revision that a database has; None without the schema."""
    return MigrationContext.configure(conn, opts={"version_table_schema": "pgqueue"}).get_current_revision()


def coming(revision: str | None, to: str = "head") -> list[Revision]:
    """The revisions after this one (None: from the beginning), the oldest first. Asks no database."""
    return [_read(entry) for entry in reversed([*_script().iterate_revisions(to, revision)])]


def sql() -> str:
    """All migrations as a script, without the transaction around them."""
    buffer = io.StringIO()
    with _alembic:
        command.upgrade(_config(buffer), "head", sql=True)
    return buffer.getvalue().replace("BEGIN;", "").replace("COMMIT;", "").strip()


def _read(entry: Script) -> Revision:
    printed = _Statements()
    with _alembic:
        command.upgrade(_config(printed), f"{entry.down_revision or 'base'}:{entry.revision}", sql=True)
    beside, contract = (tuple(getattr(entry.module, name, ())) for name in ("BESIDE", "CONTRACT"))
    return Revision(entry.revision, beside, tuple(printed.found), contract)


class _Statements(io.StringIO):
    """Takes what Alembic would print, which writes a statement at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def write(self, text: str) -> int:
        statement = re.sub(r"^(--.*\n)+", "", text).strip()
        if statement not in ("", "BEGIN;", "COMMIT;"):
            self.found.append(statement.rstrip(";"))
        return len(text)


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config(output: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=output or io.StringIO())
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    return config


def _migrations() -> Path:
    inside = Path(__file__).parent / "migrations"
    return inside if inside.is_dir() else inside.parent.parent / "migrations"
