"""What users install, by pyproject.toml: the dependencies, and those of the extras that are not for development.

python -m release.requirements            as they are declared
python -m release.requirements --lowest   each at the oldest version that is declared to do, as constraints for pip
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# For who works on pgqueue itself.
NOT_FOR_USERS = frozenset({"dev", "docs"})


def extras() -> list[str]:
    """The names of the extras that users may install."""
    return sorted(set(PROJECT["optional-dependencies"]) - NOT_FOR_USERS)


def declared() -> list[Requirement]:
    """All requirements of the package and of these extras."""
    texts = [*PROJECT["dependencies"], *(text for name in extras() for text in PROJECT["optional-dependencies"][name])]
    return [Requirement(text) for text in dict.fromkeys(texts)]


def lowest(requirement: Requirement) -> str:
    """A constraint to the oldest version that does. Raises ValueError where none is named."""
    for specifier in requirement.specifier:
        if specifier.operator == ">=":
            return f"{requirement.name}=={specifier.version}"
    raise ValueError(f"{requirement} names no oldest version; write {requirement.name}>=...")


if __name__ == "__main__":
    as_lowest = sys.argv[1:] == ["--lowest"]
    print(*dict.fromkeys(lowest(each) if as_lowest else str(each) for each in declared()), sep="\n")
