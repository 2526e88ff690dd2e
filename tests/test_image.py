"""Dockerfile and docker-compose.yml say what they should: no Docker is needed to know."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import typer
import yaml

from pgqueue.cli.app import app
from tests.dockerfiles import Instruction, copy_into, stages_of
from tests.postgres import ROOT

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def stages() -> list[list[Instruction]]:
    return stages_of((ROOT / "Dockerfile").read_text())


def test_what_the_image_copies_is_all_that_the_wheel_needs(
    stages: list[list[Instruction]], tmp_path: Path, compose: Any
) -> None:
    copy_into(stages[0], ROOT, tmp_path / "src")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "wheels")]
    done = subprocess.run([*build, str(tmp_path / "src")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    names = set(ZipFile(wheel).namelist())
    assert {"pytest_pgqueue.py", "pgqueue/demo/wordcount/tasks.py", "pgqueue/migrations/env.py"} <= names
    wanted = {str(path.relative_to(ROOT)) for path in (ROOT / "pgqueue").rglob("*") if path.suffix in {".py", ".sql"}}
    assert wanted <= names


def test_the_image_builds_with_what_the_code_runs_on_and_installs_extras_that_exist(
    stages: list[list[Instruction]],
) -> None:
    for stage in stages:
        version = re.match(r"python:(3\.\d+)-slim", stage[0].text)
        assert version is not None
        assert f"Programming Language :: Python :: {version[1]}" in PROJECT["classifiers"]
    (install,) = (step.text for step in stages[-1] if step.word == "RUN" and "pip install" in step.text)
    extras = re.search(r"\*\.whl\)\[([\w,]+)\]", install)
    assert extras is not None
    assert set(extras[1].split(",")) <= set(PROJECT["optional-dependencies"])
    assert "binary" in extras[1]


def test_the_image_runs_the_command_as_nobody_special_and_hands_it_signals(stages: list[list[Instruction]]) -> None:
    last = {step.word: step for step in stages[-1]}
    assert last["ENTRYPOINT"].words == ["pgqueue"]
    assert last["ENTRYPOINT"].words[0] in PROJECT["scripts"]
    # A number, so that Kubernetes can see that it is not root.
    assert int(last["USER"].text) > 0


def test_each_service_waits_for_what_it_needs(compose: Any) -> None:
    services = compose["services"]
    assert list(services) == ["postgres", "migrate", "worker"]
    assert "pg_isready" in services["postgres"]["healthcheck"]["test"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["worker"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["restart"] == "no"


def test_migrate_and_worker_are_one_image_on_the_database_beside_them(compose: Any) -> None:
    migrate, worker = compose["services"]["migrate"], compose["services"]["worker"]
    password = compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"]
    for service in (migrate, worker):
        assert (service["image"], service["build"]) == ("pgqueue", ".")
        assert service["environment"]["PGQUEUE_DSN"] == f"postgresql://postgres:{password}@postgres:5432/postgres"
    assert migrate["command"] == ["migrate"]


def test_every_command_and_option_of_the_services_exists(compose: Any) -> None:
    for name in ("migrate", "worker"):
        command, *words = compose["services"][name]["command"]
        known = {option for parameter in COMMANDS[command].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known


def test_the_workers_health_is_asked_where_it_answers(compose: Any) -> None:
    worker = compose["services"]["worker"]
    port = worker["command"][worker["command"].index("--health-port") + 1]
    kind, program, option, code = worker["healthcheck"]["test"]
    assert (kind, program, option) == ("CMD", "python", "-c")
    assert f"http://127.0.0.1:{port}/live" in code
    compile(code, "healthcheck", "exec")


def test_the_commands_of_the_comments_work_in_the_services(compose: Any) -> None:
    comments = re.findall(r"docker compose exec (.+)$", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
    assert comments
    (mounted,) = (volume.split(":")[0] for volume in compose["services"]["worker"]["volumes"])
    for service, program, *words in map(shlex.split, comments):
        assert service in compose["services"]
        if program == "pgqueue":
            assert words[0] in COMMANDS
        else:
            assert (program, words[0]) == ("python", "-m")
            assert (ROOT / mounted / f"{words[1].replace('.', '/')}.py").is_file()


def test_named_volumes_and_mounted_files_exist(compose: Any) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in compose["volumes"]


def test_the_worker_has_time_to_give_its_jobs_back(compose: Any) -> None:
    (default,) = (p.default for p in COMMANDS["worker"].params if "--shutdown-timeout" in p.opts)
    # And with it to write the last outcomes.
    assert int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s")) >= default + 15
