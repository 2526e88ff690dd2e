"""The manifests of other queues: bench/peers/NAME.toml."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
ENVIRONMENTS = ROOT / ".bench"


Settings = dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One of them; the fields are those of its manifest, told in bench/peers/README.md."""

    name: str
    title: str
    kind: Literal["python", "node", "ours"]
    packages: list[str]
    program: str
    store: Literal["postgresql", "redis"]
    does: list[str]
    settings: str
    context: bool = False
    arguments: tuple[str, ...] = ()
    python: str | None = None
    tries: tuple[Settings, ...] = ()

    @property
    def folder(self) -> Path:
        """Its environment."""
        return ENVIRONMENTS / (f"venv-{self.name}" if self.kind == "python" else f"node-{self.name}")

    @property
    def ready(self) -> Path:
        """The file that says that everything is installed, and what."""
        return self.folder / "installed"

    @property
    def failed(self) -> Path:
        """The file that says why it could not be installed."""
        return ENVIRONMENTS / f"{self.name}.failed"

    @property
    def installed(self) -> bool:
        """Whether the packages of this very manifest are there."""
        if self.kind == "ours":
            return True
        return self.ready.exists() and self.ready.read_text() == "\n".join(self.packages)

    def command(self) -> list[str | Path]:
        """How its adapter is started."""
        interpreters = {"python": self.folder / "bin" / "python", "node": "node", "ours": sys.executable}
        interpreter: str | Path = interpreters[self.kind]
        return [interpreter, PEERS / self.program, *self.arguments]

    def environment(self, settings: Settings) -> dict[str, str]:
        """What its adapter finds in its environment, with the settings that it is to take."""
        modules = str(self.folder / "node_modules")
        found = {"NODE_PATH": modules, "BENCH_NODE_MODULES": modules} if self.kind == "node" else {}
        return {**found, "BENCH_SETTINGS": json.dumps(settings)}

    def install_commands(self) -> list[list[str | Path]]:
        """The commands that make its environment from nothing."""
        if self.kind == "node":
            return [["npm", "install", "--no-audit", "--no-fund", "--prefix", self.folder, *self.packages]]
        pip: list[str | Path] = [self.folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
        interpreter = sys.executable if self.python is None else interpreter_of(self.python)
        return [[interpreter, "-m", "venv", "--clear", self.folder], [*pip, *self.packages]]


def interpreter_of(oldest: str) -> str:
    """A Python of this version or newer: this one, or one on PATH that runs; raises OSError if there is none."""
    wanted = tuple(map(int, oldest.split(".")))
    if sys.version_info >= wanted:
        return sys.executable
    # pyenv's shims run only versions that are chosen: all that it has are chosen here.
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders = [None, *(each / "bin" for each in sorted(installed.glob("*")))]
    names = [f"python{wanted[0]}.{minor}" for minor in range(wanted[1], wanted[1] + 4)]
    for folder in folders:
        for name in names:
            found = shutil.which(name, path=None if folder is None else str(folder))
            if found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
                return found
    raise OSError(f"it needs Python {oldest} or newer, and none was found")


def peers(folder: Path = PEERS) -> list[Peer]:
    """All that have a manifest, by name."""
    found = [(file.stem, tomllib.loads(file.read_text())) for file in sorted(folder.glob("*.toml"))]
    lists = ("arguments", "tries")
    return [
        Peer(name=name, **{**words, **{each: tuple(words.get(each, ())) for each in lists}}) for name, words in found
    ]
