"""The guide, typed into a shell with each Django: from startproject to a job in a transaction, and to its last line."""

from __future__ import annotations

import dataclasses
import os

import pytest

from tests.django.versions import bin_of, each_version
from tests.docs.conftest import NewReader, forking, new_reader
from tests.docs.pages import blocks_of
from tests.docs.runner import PageRun, commands_of
from tests.postgres import ROOT

__all__ = ["forking", "new_reader"]

GUIDE = ROOT / "docs" / "guides" / "django.md"
pytestmark = pytest.mark.adopt


@each_version
def test_every_block_of_the_guide_runs(version: str, new_reader: NewReader) -> None:
    with new_reader(migrated=False, installed=True) as reader:
        be_in(reader, version)
        for block in blocks_of(GUIDE):
            # What the framework is called where Django has none of its own.
            text = block.text.replace("django.tasks", "django_tasks") if version == "django52" else block.text
            reader.run(dataclasses.replace(block, text=text))


def test_a_job_has_run_in_a_transaction_after_ten_commands_or_fewer() -> None:
    first = GUIDE.read_text().split("\n## ")[1]
    typed = [command for block in blocks_of(GUIDE) for command, _ in of_console(block) if block.text in first]
    installs = first.count("pip install")
    assert any("pgqueue worker" in command for command in typed)
    assert any("place_order" in command for command in typed)
    assert installs + len(typed) <= 10, typed
    assert "with transaction.atomic():" in first


def be_in(reader: PageRun, version: str) -> None:
    """Let the reader's shell find that Django first."""
    reader._env["PATH"] = os.pathsep.join([str(bin_of(version)), reader._env["PATH"]])
    reader._env.pop("PGQUEUE_DSN")


def of_console(block: object) -> list[tuple[str, str]]:
    return commands_of(block) if getattr(block, "kind", "") == "console" else []  # type: ignore[arg-type]
