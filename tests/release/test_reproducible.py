"""Two builds of one commit are the same, byte by byte, wherever, whenever and by whomever they are made."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.postgres import ROOT

pytestmark = pytest.mark.upgrades


def build(folder: Path, *, umask: int, **environment: str) -> dict[str, str]:
    """The digests of the wheel and the source archive that a checkout in `folder` makes."""
    tree = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
        archive.extractall(folder / "source", filter="data")
    for path in (folder / "source").rglob("*"):
        os.utime(path, (umask, umask * 1_000_000))
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        str(folder / "dist"),
        str(folder / "source"),
    ]
    env = os.environ | environment
    done = subprocess.run(command, cwd=folder, env=env, umask=umask, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {each.name: sha256(each.read_bytes()).hexdigest() for each in sorted((folder / "dist").iterdir())}


def test_two_builds_of_one_commit_are_byte_identical(tmp_path: Path) -> None:
    epoch = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    moment = epoch.stdout.strip()
    one = build(tmp_path / "one", umask=0o022, SOURCE_DATE_EPOCH=moment, TZ="UTC", PYTHONHASHSEED="1", LC_ALL="C")
    two = build(tmp_path / "two", umask=0o077, SOURCE_DATE_EPOCH=moment, TZ="Asia/Tokyo", PYTHONHASHSEED="2")
    assert len(one) == 2
    assert one == two
