"""docker-compose.yml says what it should: no Docker is needed to know."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.postgres import ROOT


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_each_service_waits_for_what_it_needs(compose: Any) -> None:
    services = compose["services"]
    assert list(services) == ["postgres", "migrate", "worker"]
    assert services["postgres"]["image"] == "postgres:16"
    assert "pg_isready" in services["postgres"]["healthcheck"]["test"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["worker"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["restart"] == "no"


def test_migrate_and_worker_are_one_image_on_the_database_beside_them(compose: Any) -> None:
    migrate, worker = compose["services"]["migrate"], compose["services"]["worker"]
    password = compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"]
    for service in (migrate, worker):
        assert service["image"] == "pgqueue-example"
        assert service["environment"]["PGQUEUE_DSN"] == f"postgresql://postgres:{password}@postgres:5432/postgres"
    assert migrate["command"] == ["pgqueue", "migrate"]
    assert worker["command"][:2] == ["pgqueue", "worker"]


def test_what_the_image_copies_is_there(compose: Any) -> None:
    lines = compose["services"]["migrate"]["build"]["dockerfile_inline"].splitlines()
    copied = [source for line in lines if line.startswith("COPY ") for source in line.split()[1:-1]]
    assert "pyproject.toml" in copied
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_named_volumes_and_mounted_files_exist(compose: Any) -> None:
    for volume in compose["services"]["postgres"]["volumes"]:
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith("./") else source in compose["volumes"]


def test_the_worker_has_time_to_give_its_jobs_back(compose: Any) -> None:
    # The default --shutdown-timeout is 8 s.
    assert int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s")) > 8
