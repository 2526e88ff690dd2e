"""The code that the demo runs, `examples/wordcount/`, and the files that it works on."""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from pgqueue.enqueued import Enqueued

Conn = psycopg.Connection[Any]

APP = "wordcount.tasks"
TARGET = f"{APP}:count_words"
QUEUE = "demo"
# Other people's packages lie below the library's folder, too.
FOREIGN = {"site-packages", "dist-packages"}


def home() -> Path:
    """The folder that contains the package `wordcount`: beside this file in a wheel, `examples/` in the source tree."""
    here = Path(__file__).parent
    return here if (here / "wordcount").is_dir() else here.parents[1] / "examples"


def schema_sql() -> str:
    """The statements that create the example's tables."""
    return (home() / "wordcount" / "schema.sql").read_text(encoding="utf-8")


def producer() -> Callable[[Conn, Path], Enqueued]:
    """The example's `add_document`."""
    sys.path.insert(0, str(home()))
    try:
        add_document: Callable[[Conn, Path], Enqueued] = importlib.import_module("wordcount.index").add_document
    finally:
        sys.path.remove(str(home()))
    return add_document


def library() -> Path:
    """The folder of the Python library that runs this."""
    return Path(sysconfig.get_path("stdlib")).resolve()


def library_files() -> list[Path]:
    """The readable source files of that library."""
    root = library()
    found = (path for path in root.rglob("*.py") if FOREIGN.isdisjoint(path.relative_to(root).parts))
    return sorted(path for path in found if path.is_file() and os.access(path, os.R_OK))
