"""Functions of an earlier release in the place of this one's, and who is kept from being hurt by it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import psycopg
import pytest

from pgqueue.errors import SchemaError, UsageError
from pgqueue.migrate import migrate, status
from pgqueue.older_functions import apply_functions_of, read_release
from pgqueue.store.schema import require_schema
from pgqueue.version import __version__
from tests.factories import enlist
from tests.postgres import ROOT

Conn = psycopg.Connection[Any]
MARK = "-- as it was before\n"


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A folder with a release like this one, but earlier; one function of it can be told from this one's."""
    folder = tmp_path / "older"
    shutil.copytree(ROOT / "pgqueue" / "store" / "sql", folder / "pgqueue" / "store" / "sql")
    shutil.copy(ROOT / "pgqueue" / "store" / "schema.py", folder / "pgqueue" / "store")
    (folder / "pgqueue" / "version.py").write_text('__version__ = "0.1.9"\n')
    function = find(folder, "has_ended")
    function.write_text(function.read_text().replace("as $$", f"as $$ {MARK}", 1))
    return folder


def find(folder: Path, function: str) -> Path:
    return next(folder.rglob(f"{function}.sql"))


def body(conn: Conn) -> str:
    row = conn.execute("select prosrc from pg_proc where proname = 'has_ended'").fetchone()
    assert row is not None
    return str(row[0])


def test_they_replace_this_releases_and_migrate_puts_these_back(older: Path, dsn: str, db: Conn) -> None:
    assert apply_functions_of(dsn, older) == "0.1.9"
    assert MARK in body(db)
    assert not status(dsn).functions
    with pytest.raises(
        SchemaError, match=r"functions .* are those of 0\.1\.9, older than this .* run `pgqueue migrate`"
    ):
        require_schema(db)
    assert migrate(dsn) is True
    assert MARK not in body(db)
    require_schema(db)


def test_the_earlier_code_takes_them_for_its_own(older: Path, dsn: str, db: Conn) -> None:
    apply_functions_of(dsn, older)
    (said,) = db.execute("select obj_description('pgqueue'::regnamespace)").fetchone() or ("",)
    assert said.endswith(f"functions of 0.1.9, {read_release(older).stamp.checksum}")


def test_a_wheel_is_read_as_the_folder_is(older: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "pgqueue_postgres-0.1.9-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for path in sorted(older.rglob("*")):
            archive.write(path, path.relative_to(older))
    assert read_release(wheel) == read_release(older)


def test_a_live_worker_of_this_release_keeps_its_functions(older: Path, dsn: str, db: Conn) -> None:
    worker = enlist(db)
    for report in (None, f'{{"pgqueue": "{__version__}"}}'):
        db.execute(
            "insert into pgqueue.worker_reports (id, report) values (%s, %s)"
            " on conflict (id) do update set report = excluded.report",
            [worker, report],
        )
        with pytest.raises(SchemaError, match="stop them first: pgqueue workers list -v"):
            apply_functions_of(dsn, older)
    assert MARK not in body(db)
    db.execute("update pgqueue.workers set expires_at = now()")
    apply_functions_of(dsn, older)


def test_a_function_that_answers_otherwise_is_refused_and_nothing_is_changed(older: Path, dsn: str, db: Conn) -> None:
    function = find(older, "has_ended")
    function.write_text(function.read_text().replace("returns boolean", "returns text"))
    with pytest.raises(SchemaError, match="cannot take the place of a later one"):
        apply_functions_of(dsn, older)
    assert status(dsn).functions


def test_a_schema_that_dropped_what_they_use_is_refused(older: Path, dsn: str, db: Conn) -> None:
    db.execute("comment on schema pgqueue is 'pgqueue; serves code from 9999; functions of 0.1.0, 0123456789abcdef'")
    migrate(dsn)
    with pytest.raises(SchemaError, match=r"serves no code as old as pgqueue 0\.1\.9 any more"):
        apply_functions_of(dsn, older)


def test_what_is_no_earlier_release_is_told(tmp_path: Path, dsn: str) -> None:
    with pytest.raises(UsageError, match="is no release of pgqueue: give its wheel"):
        apply_functions_of(dsn, tmp_path / "nowhere.whl")
    with pytest.raises(UsageError, match="is no release of pgqueue"):
        apply_functions_of(dsn, tmp_path)
    with pytest.raises(UsageError, match="no earlier release than this one"):
        apply_functions_of(dsn, ROOT)
