"""A folder with real files, one of them not UTF-8."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pgqueue.demo.example import library_files

LATIN = 'word = "oubli\u00e9"\n'.encode("latin-1")
FILES = 250


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Some of Python's own source files, and one that cannot be decoded."""
    folder = tmp_path_factory.mktemp("files")
    readable = [path for path in library_files() if path.stat().st_size > 1000 and "test" not in path.parts]
    for number, path in enumerate(readable[: FILES - 1]):
        shutil.copyfile(path, folder / f"{number:03}.py")
    (folder / "latin.py").write_bytes(LATIN)
    return sorted(folder.iterdir())
