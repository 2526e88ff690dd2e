"""Earlier releases, built from the history: a wheel, and its packages in a folder that Python can be pointed to."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from tests.postgres import ROOT

LIST = Path(__file__).parent / "releases.toml"
APP = Path(__file__).parent / "app"


@dataclass(frozen=True, slots=True)
class Release:
    """An earlier release: the newest revision that it knows, and the commit that it is."""

    version: str
    commit: str
    revision: str

    def built(self, folder: Path) -> Package:
        """Its wheel, built from its tag or commit, and unpacked below `folder`."""
        source = folder / "source"
        with tarfile.open(fileobj=io.BytesIO(_archive(self._name()))) as archive:
            archive.extractall(source, filter="data")
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        (wheel,) = folder.glob(f"pgqueue_postgres-{self.version}-*.whl")
        ZipFile(wheel).extractall(folder / "packages")
        return Package(self.version, folder / "packages", wheel)

    def _name(self) -> str:
        tag = f"v{self.version}"
        return tag if _is_release(self) and _git("tag", "--list", tag).strip() else self.commit


@dataclass(frozen=True, slots=True)
class Package:
    """pgqueue as a program of its own: `home` is where its package is."""

    version: str
    home: Path
    wheel: Path | None = None

    def environment(self, dsn: str) -> dict[str, str]:
        """What a process needs to run it, with the tasks that all releases share."""
        return os.environ | {"PYTHONPATH": f"{self.home}{os.pathsep}{APP}", "PGQUEUE_DSN": dsn}

    def run(self, dsn: str, *words: object) -> subprocess.CompletedProcess[str]:
        """Run `pgqueue WORDS` to its end."""
        command = [sys.executable, "-m", "pgqueue", *map(str, words)]
        return subprocess.run(
            command, cwd=APP, env=self.environment(dsn), capture_output=True, text=True, timeout=120, check=False
        )


def releases() -> list[Release]:
    """Those of releases.toml; the first is the release before this one."""
    return [Release(**each) for each in tomllib.loads(LIST.read_text())["release"]]


def _is_release(release: Release) -> bool:
    return release == releases()[0]


def _archive(commit: str) -> bytes:
    done = subprocess.run(["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 0, (
        f"{commit} of {LIST.name} is not in this clone ({done.stderr.decode().strip()});"
        " `git fetch --unshallow --tags` brings the whole history"
    )
    return done.stdout


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
