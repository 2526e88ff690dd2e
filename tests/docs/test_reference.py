"""The reference names everything there is, and nothing that there is not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer

import pgqueue
from pgqueue.cli.app import app
from pgqueue.cli.errors import Exit
from pgqueue.outcome import Reason
from tests.docs.pages import PAGES, section_of
from tests.postgres import ROOT

REFERENCE = ROOT / "docs" / "reference"
PYTHON, CLI, SQL, SETTINGS = (REFERENCE / f"{name}.md" for name in ("python", "cli", "sql", "settings"))
GLOSSARY = ROOT / "docs" / "glossary.md"

EVERYWHERE = {"--dsn", "--json", "--help", "-h", "--version", "--reason", "--wide", "--expanded", "-x"}


def words_of(page: Path) -> set[str]:
    """The names that a page holds."""
    return set(re.findall(r"\w+", page.read_text()))


def test_the_python_reference_names_every_public_name() -> None:
    assert set(pgqueue.__all__) - words_of(PYTHON) == set()


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (pgqueue.NewJob, [field.name for field in fields(pgqueue.NewJob)]),
        (pgqueue.Job, [field.name for field in fields(pgqueue.Job)]),
        (pgqueue.Attempt, [field.name for field in fields(pgqueue.Attempt)]),
        (pgqueue.RetryPolicy, [field.name for field in fields(pgqueue.RetryPolicy)]),
        (pgqueue.Worker, [*inspect.signature(pgqueue.Worker).parameters, "run", "stop"]),
        (pgqueue.Task, [name for name in vars(pgqueue.Task) if not name.startswith("_")]),
        (pgqueue.JobContext, [name for name in dir(pgqueue.JobContext) if not name.startswith("_")]),
        (pgqueue.JobState, [state.name for state in pgqueue.JobState]),
    ],
)
def test_the_python_reference_names_every_part(value: type, names: list[str]) -> None:
    assert set(names) - words_of(PYTHON) == set(), value


def test_the_python_reference_shows_signatures_as_they_are() -> None:
    text = re.sub(r"\s+", " ", PYTHON.read_text())
    for function in (pgqueue.enqueue, pgqueue.schedule, pgqueue.Worker):
        assert shown(function) in text


def shown(function: Any) -> str:
    """A signature with its defaults and without its types, and without what is taken only to be refused."""
    parameters = inspect.signature(function).parameters.values()
    wanted = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in wanted]
    text = str(inspect.Signature(plain)).replace("'", '"')
    return f"{function.__name__}{text}"


def commands(command: Any, path: tuple[str, ...] = ("pgqueue",)) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by the words that call it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(path), command
        return
    for name, each in below.items():
        yield from commands(each, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_cli_reference_has_every_command_with_its_options(name: str) -> None:
    section = section_of(CLI, name)
    assert section is not None, f"docs/reference/cli.md has no heading {name!r}"
    options = {option for parameter in COMMANDS[name].params for option in [*parameter.opts, *parameter.secondary_opts]}
    options = {option for option in options if option.startswith("-")} - EVERYWHERE
    prose = re.sub(r"^```.*?^```", "", section, flags=re.MULTILINE | re.DOTALL)
    shown_options = set(re.findall(r"`(--?[A-Za-z][a-z-]*)`", prose)) - EVERYWHERE
    assert options - shown_options == set(), "not in the reference"
    assert {option for option in shown_options if option not in options | mentioned(name)} == set(), (
        "not in the command"
    )


def mentioned(name: str) -> set[str]:
    """Options that a section speaks of and another command has."""
    return {"--burst"} if name == "pgqueue worker" else set()


def test_the_cli_reference_knows_no_other_commands() -> None:
    headings = set(re.findall(r"^#+ (pgqueue .+)$", CLI.read_text(), re.MULTILINE))
    assert headings == set(COMMANDS)


def test_the_cli_reference_has_every_exit_code() -> None:
    section = section_of(CLI, "Exit codes") or ""
    assert re.findall(r"^\| (\d+) \|", section, re.MULTILINE) == [str(int(code)) for code in Exit]


def test_the_sql_reference_names_every_function_table_view_column_and_index(conn: psycopg.Connection[Any]) -> None:
    known = words_of(SQL)
    in_schema = "pronamespace = 'pgqueue'::regnamespace"
    functions = {row[0] for row in conn.execute(f"select proname from pg_proc where {in_schema}")}
    columns = "select table_name, column_name from information_schema.columns where table_schema = 'pgqueue'"
    names = {name for row in conn.execute(columns) for name in row} - {"alembic_version", "version_num"}
    indexes = {row[0] for row in conn.execute("select indexname from pg_indexes where schemaname = 'pgqueue'")}
    missing = (functions | names | indexes) - known - {"alembic_version_pkc"}
    assert missing == set()


def test_the_sql_reference_has_every_argument_of_enqueue(conn: psycopg.Connection[Any]) -> None:
    row = conn.execute("select proargnames from pg_proc where oid = 'pgqueue.enqueue'::regproc").fetchone()
    section = section_of(SQL, "pgqueue.enqueue") or ""
    assert row is not None
    assert [name for name in row[0] if f"`{name}`" not in section] == []


def test_the_settings_name_every_variable_that_the_code_reads() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "pgqueue").rglob("*.py"))
    assert set(re.findall(r"\bPGQUEUE_[A-Z_]+\b", code)) - words_of(SETTINGS) == set()


def test_the_glossary_has_every_state_and_every_reason() -> None:
    text = GLOSSARY.read_text()
    wanted = [*pgqueue.JobState, *Reason]
    assert [word for word in wanted if f"`{word}`" not in text] == []


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)}
    assert named - targets == set()
