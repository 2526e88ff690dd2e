"""What a release is made of: oldest versions that are named, a bill of materials, an audit that says what it knows."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from release import audit, requirements
from release.requirements import lowest
from release.sbom import sbom
from tests.postgres import ROOT

HERE = Path(sysconfig.get_path("purelib"))
MOMENT = 1_790_000_000.0


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return sbom(HERE, MOMENT)


def test_every_dependency_of_users_names_its_oldest_version() -> None:
    assert [lowest(each) for each in requirements.declared()]
    assert lowest(Requirement("psycopg[binary]>=3.2.4")) == "psycopg==3.2.4"
    with pytest.raises(ValueError, match="names no oldest version"):
        lowest(Requirement("psycopg"))


def test_each_package_is_at_one_oldest_version() -> None:
    constraints = {lowest(each) for each in requirements.declared()}
    assert len({each.partition("==")[0] for each in constraints}) == len(constraints)


def test_the_bill_names_every_package_and_who_needs_it(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["name"] == "pgqueue-postgres"
    scopes = {each["name"]: each["scope"] for each in bill["components"]}
    assert {scopes[name] for name in ("psycopg", "sqlalchemy", "alembic", "mako", "typer", "tzdata")} == {"required"}
    assert {scopes[name] for name in ("starlette", "uvicorn", "django", "textual", "psycopg-binary")} == {"optional"}
    # Nothing that only we need.
    assert {"mypy", "pytest", "ruff", "mkdocs-material", "hypothesis"} & set(scopes) == set()
    needs = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    assert set(needs) == {each["bom-ref"] for each in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    (alembic,) = [ref for ref in needs if ref.startswith("pkg:pypi/alembic@")]
    assert any(ref.startswith("pkg:pypi/mako@") for ref in needs[alembic])


def test_the_same_packages_make_the_same_bill(bill: dict[str, Any]) -> None:
    command = [sys.executable, "-m", "release.sbom", str(HERE)]
    environment = {"SOURCE_DATE_EPOCH": str(int(MOMENT)), "PYTHONHASHSEED": "7"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == bill


def test_a_folder_without_pgqueue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="has no pgqueue-postgres"):
        sbom(tmp_path, MOMENT)


def fake(folder: Path, out: str, err: str, code: int) -> str:
    """A program that says what pip-audit would."""
    program = folder / "pip-audit"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.stdout.write({out!r})\nsys.stderr.write({err!r})\nsys.exit({code})\n"
    )
    program.chmod(0o700)
    return str(program)


@pytest.mark.parametrize(
    ("out", "err", "code", "answer", "said"),
    [
        (
            '{"dependencies": [{"name": "psycopg", "version": "3.3.9", "vulns": []},'
            ' {"name": "pgqueue-postgres", "skip_reason": "not on the index"}]}',
            "",
            0,
            audit.FINE,
            "1 packages asked for, 0 known vulnerabilities; unknown packages: []",
        ),
        (
            '{"dependencies": [{"name": "mako", "version": "1.0", "vulns": [{"id": "X-1", "fix_versions": ["1.1"]}]}]}',
            "Found 1 known vulnerability",
            1,
            audit.VULNERABLE,
            "mako 1.0: X-1, fixed in 1.1",
        ),
        ("", "ERROR: could not connect\n", 1, audit.UNREACHABLE, "osv was not to be asked: ERROR: could not connect"),
        (
            '{"dependencies": [{"name": "mako", "skip_reason": "not found"}]}',
            "",
            0,
            audit.UNREACHABLE,
            "NOT AUDITED: nothing is known",
        ),
    ],
    ids=["clean", "vulnerable", "unreachable", "knows nothing"],
)
def test_the_audit_tells_vulnerable_from_not_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str, err: str, code: int, answer: int, said: str
) -> None:
    assert audit.audit(fake(tmp_path, out, err, code), str(tmp_path)) == answer
    shown = capsys.readouterr()
    assert said in shown.out + shown.err
