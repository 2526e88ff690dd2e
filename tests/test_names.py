"""The name on the package index: whatever text advises to install, it is ours, and it has what it is said to have."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# The name that is somebody else's: alone, or with extras or a version behind it.
_FOREIGN = r"(?<![\w./-])pgqueue(?![\w=-]|\.\w)"
# What one command is made of: anything to the end of its line, or to where the next one or the prose goes on.
_WITHIN = r"[^\n`&|;]*?"
ADVICE = (
    # pip install, uv add, poetry add, pipx install, uv tool install, ...
    re.compile(
        rf"\b(?:pip3?|pipx|uv|poetry|pdm|conda|mamba|rye|hatch)\b{_WITHIN}\b(?:install|add)\b{_WITHIN}{_FOREIGN}"
    ),
    # A run from the index whose package is not said apart: uvx pgqueue, pipx run pgqueue.
    re.compile(rf"\b(?:uvx|pipx run|uv tool run)\b(?!{_WITHIN}--(?:from|spec)\b){_WITHIN}{_FOREIGN}"),
    re.compile(rf"--(?:from|spec|with)[ =]['\"]?{_FOREIGN}"),
    # Requirements: with extras, with a version, in a list of dependencies, as poetry writes them.
    re.compile(r"(?<![\w./-])pgqueue(?:\[[\w, ]+\]|[ ]?(?:==|>=|~=))"),
    re.compile(r"\bdependencies\s*=\s*\[[^\]]*[\"']pgqueue[\"'\[<>=~ ]"),
    re.compile(r"^pgqueue\s*=\s*(?:[\"'][\^~>=*\d]|\{)", re.MULTILINE),
)
_OURS = re.compile(r"pgqueue-postgres\[([\w, ]+)\]")


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the repository but this one, by its name, with lines that go on joined."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path == Path(__file__) or not path.is_file() or b"\0" in (content := path.read_bytes()):
            continue
        yield name, re.sub(r"\\\n\s*", " ", content.decode())


def advice(text: str) -> list[str]:
    """Where a text advises to install the distribution that is somebody else's."""
    return [found[0] for pattern in ADVICE for found in pattern.finditer(text)]


def test_no_text_advises_to_install_what_is_not_ours() -> None:
    assert {name: found for name, text in texts() if (found := advice(text))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "pip install pgqueue",
        "First pip install pgqueue.",
        "pip install 'pgqueue[embedded]'",
        "python -m pip install --upgrade pgqueue",
        "uv add pgqueue",
        "uv pip install -U pgqueue",
        "poetry add pgqueue",
        "RUN pip install --no-cache-dir psycopg pgqueue",
        "uvx pgqueue migrate",
        "pipx run pgqueue",
        "uvx --from pgqueue pgqueue migrate",
        "uvx --from 'pgqueue[binary]' pgqueue migrate",
        "uv run --with pgqueue order.py",
        "pgqueue[binary]",
        'requires = ["pgqueue>=1"]',
        'dependencies = [\n    "psycopg",\n    "pgqueue",\n]',
        '[tool.poetry.dependencies]\npgqueue = "^1.0"\n',
        '[tool.poetry.dependencies]\npgqueue = {version = "*"}\n',
    ],
)
def test_the_search_finds_such_advice(text: str) -> None:
    assert advice(text), text


@pytest.mark.parametrize(
    "text",
    [
        "pip install 'pgqueue-postgres[embedded]'",
        "pip install 'pgqueue-postgres[binary]' && pgqueue migrate",
        "`pip install pgqueue-postgres`, then `pgqueue migrate`",
        "pip install '.[binary]'        in a checkout",
        "pip install pgqueuer",
        "uvx --from 'pgqueue-postgres[binary]' pgqueue migrate",
        "uvx pgqueue-postgres migrate",
        "uv run pgqueue worker -A shop.tasks",
        "pgqueue migrate",
        '[project.scripts]\npgqueue = "pgqueue.cli.app:run"\n',
    ],
)
def test_the_search_leaves_good_advice_alone(text: str) -> None:
    assert advice(text) == []


def test_every_extra_that_a_text_names_exists() -> None:
    named = {
        (name, extra.strip())
        for name, text in texts()
        for found in _OURS.finditer(text)
        for extra in found[1].split(",")
    }
    assert {(name, extra) for name, extra in named if extra not in PROJECT["optional-dependencies"]} == set()
    assert named


def test_every_extra_that_users_need_is_in_the_guide() -> None:
    guide = (ROOT / "docs" / "guides" / "installing.md").read_text()
    wanted = [*PROJECT["optional-dependencies"]]
    assert [extra for extra in wanted if f"| `{extra}` |" not in guide] == []
