"""Every code block of every page runs as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import psycopg
import pytest

from tests.docs.conftest import NewReader
from tests.docs.pages import PAGES, Block, blocks_of, name_of
from tests.docs.runner import PageRun, commands_of, matches
from tests.postgres import ROOT
from tests.waiting import wait_until

# Pages that create the schema themselves.
FROM_NOTHING = {"docs/tutorial.md", "docs/index.md"}
README = ROOT / "README.md"
# Pages that run on versions of others, which are brought up for that: tests/django/test_guide.py.
ADOPTED = {ROOT / "docs" / "guides" / "django.md"}
WITH_BLOCKS = [page for page in PAGES if blocks_of(page) and page != README and page not in ADOPTED]


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name_of)
def test_every_block_of_a_page_runs(page: Path, new_reader: NewReader) -> None:
    with run(page, new_reader):
        pass


def test_the_readme_works_with_nothing_but_python_and_its_job_is_done_soon_after_its_commit(
    new_reader: NewReader,
) -> None:
    with run(README, new_reader) as reader, psycopg.connect(reader.embedded_dsn, autocommit=True) as conn:
        question = "select state from pgqueue.job where args ->> 'order_id' = '42'"
        wait_until(lambda: conn.execute(question).fetchone() == ("succeeded",))


@contextmanager
def run(page: Path, new_reader: NewReader) -> Iterator[PageRun]:
    """A reader who has done what a page says."""
    blocks = blocks_of(page)
    if any(block.kind == "js" for block in blocks) and which("node") is None:
        pytest.skip("no node here to run its JavaScript")
    name = name_of(page)
    with new_reader(migrated=name not in FROM_NOTHING, installed=name in FROM_NOTHING or page == README) as reader:
        for block in blocks:
            reader.run(block)
        yield reader


def test_a_block_that_raises_fails_with_its_line(new_reader: NewReader) -> None:
    with new_reader(migrated=True) as reader:
        with pytest.raises(AssertionError, match=r'(?s)some\.md:7.*File "some\.md", line 9.*ZeroDivisionError'):
            reader.run(Block("some.md", 7, "python", frozenset(), "1\n1 / 0\n"))
        reader.run(Block("some.md", 12, "python", frozenset(), "import asyncio\nawait asyncio.sleep(0)\n"))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("console", "$ false\n"),
        ("console", "$ echo one\ntwo\n"),
        ("sql", "select * from pgqueue.nothing"),
        ("toml", "a = "),
        ("yaml", "a: [\n"),
        ("dockerfile", "FROM python\nADDITION a b\n"),
        ("python3", "pass"),
        ("", "pass"),
    ],
)
def test_a_block_that_is_wrong_fails(kind: str, text: str, new_reader: NewReader) -> None:
    with new_reader(migrated=True) as reader, pytest.raises(Exception, match=r".+"):
        reader.run(Block("some.md", 1, kind, frozenset(), text))


def test_a_sql_excerpt_must_be_pgqueues_own(new_reader: NewReader) -> None:
    with new_reader(migrated=True) as reader, pytest.raises(AssertionError, match="not part of"):
        reader.run(Block("some.md", 1, "sql", frozenset({"excerpt"}), "select 1 from dual"))


def test_exported_variables_stay_and_output_is_compared() -> None:
    block = Block("some.md", 1, "console", frozenset(), "$ a=1 \\\n  b\nout\nput\n$ c\n")
    assert commands_of(block) == [("a=1 \\\n  b", "out\nput\n"), ("c", "")]
    assert matches("job ...\nstate    ready\n", "job  0198\nstate  ready\n\n")
    assert not matches("state ready\n", "state dead\n")
