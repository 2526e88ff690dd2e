"""What a Dockerfile says, instruction by instruction."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KNOWN = frozenset({"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "ENTRYPOINT", "CMD"})


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its word, and what stands behind it with its lines joined."""

    word: str
    text: str

    @property
    def words(self) -> list[str]:
        """What it is given: of the exec form its list."""
        return [str(word) for word in json.loads(self.text)] if self.text.startswith("[") else self.text.split()


def stages_of(text: str) -> list[list[Instruction]]:
    """The stages of a Dockerfile. Raises ValueError for an instruction that is not among those we use."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        word, _, rest = line.partition(" ")
        if word not in KNOWN or not rest.strip() or (word != "FROM" and not stages):
            raise ValueError(f"no instruction of a Dockerfile: {line!r}")
        if word == "FROM":
            stages.append([])
        stages[-1].append(Instruction(word, rest.strip()))
    return stages


def copy_into(stage: list[Instruction], context: Path, folder: Path) -> None:
    """Do what COPY does: from the context, as .dockerignore leaves it, into a folder."""
    ignored = _ignored_by((context / ".dockerignore").read_text())
    for instruction in stage:
        if instruction.word != "COPY" or "--from" in instruction.text:
            continue
        *sources, to = instruction.words
        for source in sources:
            target = folder / to / Path(source).name if to.endswith("/") else folder / to
            target.parent.mkdir(parents=True, exist_ok=True)
            found = context / source
            if ignored(source):
                raise ValueError(f"COPY {source}: .dockerignore leaves it out")
            if found.is_dir():
                shutil.copytree(found, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(found, target)


def _ignored_by(text: str) -> Callable[[str], bool]:
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]

    def ignored(path: str) -> bool:
        left_out = False
        for rule in rules:
            pattern = rule.removeprefix("!")
            if fnmatch.fnmatch(path, pattern) or path.startswith(f"{pattern}/"):
                left_out = not rule.startswith("!")
        return left_out

    return ignored
