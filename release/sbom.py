"""The bill of materials: what an installation of pgqueue is made of, as CycloneDX 1.5 in JSON.

    python -m release.sbom SITE_PACKAGES > sbom.json

Read from the metadata of the packages in that folder, an environment into which pgqueue was installed with the extras
for users: packages that only extras need are `optional`. The same packages make the same file, byte by byte, where
SOURCE_DATE_EPOCH says when.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from packaging.requirements import Requirement

from release.requirements import PROJECT, extras

Packages = dict[str, Distribution]
Edges = dict[str, set[str]]


def sbom(site_packages: Path, moment: float) -> dict[str, Any]:
    """The bill for what is in a folder of packages, as of a moment (seconds since 1970)."""
    packages = {name_of(found.name): found for found in distributions(path=[str(site_packages)])}
    root = name_of(PROJECT["name"])
    if root not in packages:
        raise SystemExit(f"{site_packages} has no {root}: give the site-packages of an environment that has it")
    required, _ = closure(packages, root, [])
    everything, edges = closure(packages, root, extras())
    others = sorted(everything - {root})
    bill: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)),
            "component": component(packages[root], "application"),
        },
        "components": [
            component(packages[name], "library", "required" if name in required else "optional") for name in others
        ],
        "dependencies": [
            {"ref": purl(packages[name]), "dependsOn": [purl(packages[each]) for each in sorted(edges[name])]}
            for name in (root, *others)
        ],
    }
    serial = uuid5(NAMESPACE_URL, json.dumps(bill, sort_keys=True))
    return {**bill, "serialNumber": f"urn:uuid:{serial}"}


def closure(packages: Packages, root: str, wanted: list[str]) -> tuple[set[str], Edges]:
    """What a package with these extras needs, itself among it; and which needs which."""
    edges: Edges = {}
    todo = [(root, frozenset(wanted))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        name, asked = todo.pop()
        if (name, asked) in seen:
            continue
        seen.add((name, asked))
        needs = edges.setdefault(name, set())
        for each, with_extras in needed(packages[name], asked):
            if each not in packages:
                raise SystemExit(f"{name} needs {each}, which is not installed there")
            needs.add(each)
            todo.append((each, with_extras))
    return set(edges), edges


def needed(package: Distribution, asked: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """The packages that one with these extras needs on this Python, each with the extras that it asks for."""
    for text in package.requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": each}) for each in (*asked, "")):
            yield name_of(requirement.name), frozenset(requirement.extras)


def component(package: Distribution, kind: str, scope: str | None = None) -> dict[str, Any]:
    """A package as a component of the bill."""
    found: dict[str, Any] = {
        "type": kind,
        "bom-ref": purl(package),
        "name": name_of(package.name),
        "version": package.version,
        "purl": purl(package),
    }
    if scope:
        found["scope"] = scope
    if licenses := list(licenses_of(package)):
        found["licenses"] = licenses
    return found


def licenses_of(package: Distribution) -> Iterator[dict[str, Any]]:
    """What a package says of its licence: an expression, else the names in its classifiers, else its one line."""
    names = [each.rpartition(" :: ")[2] for each in said(package, "Classifier") if each.startswith("License ::")]
    if expression := "".join(said(package, "License-Expression")):
        yield {"expression": expression}
    elif names:
        yield from ({"license": {"name": name}} for name in names)
    elif (line := "".join(said(package, "License")).strip()) and "\n" not in line:
        yield {"license": {"name": line}}


def said(package: Distribution, name: str) -> list[str]:
    """What the metadata of a package say under a name; there may be several."""
    return package.metadata.get_all(name) or []


def purl(package: Distribution) -> str:
    """How inventories name a package of Python's."""
    return f"pkg:pypi/{name_of(package.name)}@{package.version}"


def name_of(name: str) -> str:
    """A name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    print(json.dumps(sbom(Path(sys.argv[1]), time.time() if epoch is None else float(epoch)), indent=2))
