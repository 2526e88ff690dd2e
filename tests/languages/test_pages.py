"""The programs of docs/guides/other-languages.md, as they stand there: the order and its job together, or neither."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pgqueue.embedded import Server
from tests.docs.pages import blocks_of
from tests.factories import Conn, count
from tests.polyglot.node import libpq_variables, with_stand_in
from tests.postgres import ROOT

PAGE = ROOT / "docs" / "guides" / "other-languages.md"
SOURCES = {block.file: block.text for block in blocks_of(PAGE) if block.file}
JDBC = Path("/usr/share/java/postgresql.jar")
PGX = Path("/usr/share/gocode/src/github.com/jackc/pgx/v4")
NODE_PG = ROOT / ".adopt" / "node" / "node_modules" / "pg"
Env = dict[str, str]


def bash(folder: Path) -> tuple[list[str], Env]:
    _need(program="psql")
    return ["bash", "order.sh"], {}


def node(folder: Path) -> tuple[list[str], Env]:
    _need(program="node")
    with_stand_in(folder)
    return ["node", "order.js"], {}


def node_pg(folder: Path) -> tuple[list[str], Env]:
    _need(program="node", library=NODE_PG)
    return ["node", "order.js"], {"NODE_PATH": str(NODE_PG.parent)}


def go(folder: Path) -> tuple[list[str], Env]:
    _need(program="go", library=PGX)
    # Debian has the version before, for which these few calls are the same.
    source = folder / "order.go"
    source.write_text(source.read_text().replace("jackc/pgx/v5", "jackc/pgx/v4"))
    env = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(folder / "cache"), "GOFLAGS": ""}
    _run(["go", "build", "-o", "order", "order.go"], folder, env, check=True)
    return ["./order"], {}


def ruby(folder: Path) -> tuple[list[str], Env]:
    _need(program="ruby", asked=["ruby", "-e", "require 'pg'"])
    return ["ruby", "order.rb"], {}


def java(folder: Path) -> tuple[list[str], Env]:
    _need(program="javac", library=JDBC)
    _run(["javac", "Order.java"], folder, {}, check=True)
    return ["java", "-cp", f".:{JDBC}", "Order"], {}


def php(folder: Path) -> tuple[list[str], Env]:
    _need(program="php", asked=["php", "-r", "exit(in_array('pgsql', PDO::getAvailableDrivers()) ? 0 : 1);"])
    return ["php", "order.php"], {}


INSTALLED: list[Callable[[Path], tuple[list[str], Env]]] = [node_pg, go, ruby, java, php]


@pytest.mark.parametrize(
    "language",
    [bash, node, *(pytest.param(each, marks=pytest.mark.adopt) for each in INSTALLED)],
    ids=lambda each: each.__name__,
)
def test_p1_the_order_and_its_job_are_written_together_or_not_at_all(
    language: Callable[[Path], tuple[list[str], Env]], server: Server, database: str, db: Conn, tmp_path: Path
) -> None:
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text)
    words, more = language(tmp_path)
    env = libpq_variables(server, database) | more
    db.execute("create table orders (id int primary key)")
    done = _run([*words, "42"], tmp_path, env, check=True)
    row = db.execute("select id::text, target, args::text::jsonb, queue, state from pgqueue.job").fetchone()
    assert row == (done.stdout.strip(), "shop.tasks:send_receipt", {"order_id": 42}, "mail", "ready")
    # The order is there already: its transaction fails, and the job with it.
    again = _run([*words, "42"], tmp_path, env)
    assert again.returncode != 0
    assert "orders_pkey" in again.stdout + again.stderr
    db.execute("create function refuse() returns trigger language plpgsql as 'begin raise ''no orders today''; end'")
    db.execute(
        "create constraint trigger refuse after insert on orders deferrable initially deferred"
        " for each row execute function refuse()"
    )
    # The job is enqueued already when the COMMIT fails.
    late = _run([*words, "43"], tmp_path, env)
    assert late.returncode != 0
    assert "no orders today" in late.stdout + late.stderr
    assert (count(db, "jobs"), db.execute("select array_agg(id) from orders").fetchone()) == (1, ([42],))


def test_every_language_of_the_page_is_run() -> None:
    assert set(SOURCES) == {"order.sh", "order.js", "order.go", "order.rb", "Order.java", "order.php"}


def _need(program: str, library: Path | None = None, asked: list[str] | None = None) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed here: `make adopt-languages` installs it on Debian")
    if (library is not None and not library.exists()) or (
        asked is not None and subprocess.run(asked, capture_output=True).returncode
    ):
        pytest.skip(f"{program} has no driver for PostgreSQL here: `make adopt-languages` installs it on Debian")


def _run(words: list[str], folder: Path, env: Env, *, check: bool = False) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        words, cwd=folder, env=os.environ | env, capture_output=True, text=True, timeout=120, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done
