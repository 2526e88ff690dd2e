"""What would be uploaded: metadata that the index takes, a source archive that builds, a wheel that installs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
import trove_classifiers

import pgqueue
from tests.postgres import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def run(*command: object, cwd: Path, **environment: str) -> str:
    # Where the tests run from must not help.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_classifier_is_one_of_the_index() -> None:
    assert set(PROJECT["classifiers"]) - trove_classifiers.classifiers == set()
    assert sorted(PROJECT["classifiers"]) == PROJECT["classifiers"]


def test_the_classifiers_and_the_least_python_agree() -> None:
    named = [found[1] for line in PROJECT["classifiers"] if (found := re.search(r":: 3\.(\d+)$", line))]
    assert PROJECT["requires-python"] == f">=3.{min(named, key=int)}"


def test_without_libpq_the_import_says_what_to_install(tmp_path: Path) -> None:
    env = os.environ | {"PSYCOPG_IMPL": "none"}
    command = [sys.executable, "-c", "import pgqueue"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "pgqueue needs psycopg with libpq" in done.stderr
    assert "pip install 'pgqueue-postgres[binary]'" in done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python -m build` makes: a source archive, and from that archive a wheel."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.mark.adopt
def test_the_index_takes_both_and_can_show_the_readme(built: Path) -> None:
    archives = sorted(built.iterdir())
    assert [re.sub(r"\d.*?(?=\.tar|-py3)", "X", each.name) for each in archives] == [
        "pgqueue_postgres-X-py3-none-any.whl",
        "pgqueue_postgres-X.tar.gz",
    ]
    assert run(sys.executable, "-m", "twine", "check", "--strict", *archives, cwd=built).count("PASSED") == 2


@pytest.mark.adopt
def test_the_source_archive_has_what_a_distributor_needs(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    wanted = ["LICENSE", "CHANGELOG.md", "Makefile", "mkdocs.yml", "Dockerfile", "docker-compose.yml"]
    wanted += ["contrib/kubernetes.yaml", "docs/index.md", "docs/_site/outside.py", "tests/conftest.py"]
    assert [name for name in wanted if name not in names] == []
    assert not [name for name in names if name.endswith(".pyc") or name == "tests/browser/axe.js"]


@pytest.mark.adopt
def test_the_wheel_with_its_extra_installs_from_the_index_and_runs_by_each_of_its_names(
    built: Path, tmp_path: Path
) -> None:
    (wheel,) = built.glob("*.whl")
    assert "pgqueue/py.typed" in ZipFile(wheel).namelist()
    venv.create(tmp_path / "env", with_pip=False)
    programs = tmp_path / "env" / "bin"
    pip = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet"]
    run(*pip, f"{wheel}[binary]", cwd=tmp_path)
    said = f"pgqueue {pgqueue.__version__}\n"
    assert run(programs / "pgqueue", "--version", cwd=tmp_path) == said
    assert run(programs / "pgqueue-postgres", "--version", cwd=tmp_path) == said
    assert run(programs / "python", "-m", "pgqueue", "--version", cwd=tmp_path) == said
    code = "import pgqueue, psycopg; print(psycopg.pq.__impl__)"
    assert run(programs / "python", "-c", code, cwd=tmp_path) == "binary\n"
