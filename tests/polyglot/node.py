"""Node in tests: the worker of the protocol's page, and a stand-in for its driver, so that nothing is installed."""

from __future__ import annotations

from pathlib import Path
from shutil import copy

from psycopg.conninfo import conninfo_to_dict

from pgqueue.embedded import Server
from tests.docs.pages import blocks_of
from tests.postgres import ROOT

PAGE = ROOT / "docs" / "reference" / "protocol.md"


def with_stand_in(folder: Path) -> None:
    """Have `require("pg")` find the stand-in there."""
    (folder / "node_modules").mkdir()
    copy(Path(__file__).with_name("pg.js"), folder / "node_modules" / "pg.js")


def write_worker(folder: Path) -> None:
    """Write the files of the page there."""
    for block in blocks_of(PAGE):
        if block.file is not None:
            (folder / block.file).write_text(block.text)
    with_stand_in(folder)


def libpq_variables(server: Server, database: str) -> dict[str, str]:
    """Where the database is."""
    given = conninfo_to_dict(server.dsn(database, tcp=True))
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
    return {variable: str(given[name]) for name, variable in names.items()}
