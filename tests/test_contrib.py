"""The samples for supervisors: they can be read, and whatever they name exists."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pgqueue.cli.app import app
from tests.postgres import ROOT

CONTRIB = ROOT / "contrib"
SAMPLES = [CONTRIB / name for name in ("pgqueue-worker.service", "supervisord.conf", "kubernetes.yaml")]
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
OF_OTHERS = {"--now", "--for", "--timeout", "--ignore-not-found"}
OPTIONS = {option for parameter in COMMANDS["worker"].params for option in parameter.opts}


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(SAMPLES[0])
    return parser


def section() -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    parser.read(SAMPLES[1])
    return parser["program:pgqueue-worker"]


def kubernetes() -> dict[str, Any]:
    """The documents of the sample for Kubernetes, by their kind."""
    return {document["kind"]: document for document in yaml.safe_load_all(SAMPLES[2].read_text())}


def pod(kind: str) -> dict[str, Any]:
    return kubernetes()[kind]["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def shutdown_timeout(words: list[str]) -> float:
    """What a command line says, in seconds."""
    said = re.search(r"--shutdown-timeout[= ](\d+)s", " ".join(words))
    assert said is not None
    return float(said[1])


@pytest.mark.parametrize("path", [*SAMPLES, CONTRIB / "README.md"], ids=lambda path: path.name)
def test_every_option_that_a_sample_names_exists(path: Path) -> None:
    # Those of the commands that install a sample stand in its comments.
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", path.read_text())) - OF_OTHERS
    assert named <= OPTIONS
    assert named


def test_the_unit_lets_systemd_hear_the_worker() -> None:
    service = unit()["Service"]
    assert (service["Type"], service["KillSignal"], service["Restart"]) == ("notify", "SIGTERM", "always")
    assert service["RestartPreventExitStatus"] == "78"
    words = shlex.split(service["ExecStart"])
    assert words[0].endswith("/pgqueue")
    assert words[1] in COMMANDS
    assert int(service["TimeoutStopSec"]) >= shutdown_timeout(words) + 10
    # More than the claim loop may take for one turn under the default lease.
    assert int(service["WatchdogSec"]) > 30


def test_the_section_keeps_supervisord_from_starting_what_must_stay_down() -> None:
    program = section()
    words = shlex.split(program["command"])
    assert words[1] in COMMANDS
    assert (program["autorestart"], program["exitcodes"], program["stopsignal"]) == ("unexpected", "0,78", "TERM")
    assert program["stopasgroup"] == "false"
    assert int(program["stopwaitsecs"]) >= shutdown_timeout(words) + 10


def test_the_deployment_asks_the_probes_that_the_worker_answers() -> None:
    spec = pod("Deployment")
    (container,) = spec["containers"]
    assert container["command"][0] == "pgqueue"
    assert container["command"][1] in COMMANDS
    args = dict(argument.split("=") for argument in container["args"])
    (port,) = container["ports"]
    assert args["--health-port"] == str(port["containerPort"])
    assert args["--health-host"] == "0.0.0.0"
    paths = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {name: get["path"] for name, get in paths.items()} == {
        "startupProbe": "/ready",
        "livenessProbe": "/live",
        "readinessProbe": "/ready",
    }
    assert {get["port"] for get in paths.values()} == {port["name"]}
    assert spec["terminationGracePeriodSeconds"] >= shutdown_timeout(container["args"]) + 10


def test_kubernetes_migrates_with_the_image_of_the_workers_before_them() -> None:
    documents = kubernetes()
    assert [*documents] == ["Job", "Deployment", "PodDisruptionBudget"]
    (migrate,), (worker,) = (pod(kind)["containers"] for kind in ("Job", "Deployment"))
    assert migrate["command"] == ["pgqueue", "migrate"]
    assert migrate["image"] == worker["image"]
    assert pod("Job")["restartPolicy"] == "Never"


def test_what_the_documents_select_are_the_workers() -> None:
    documents = kubernetes()
    labels = documents["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert documents[kind]["spec"]["selector"]["matchLabels"] == labels
    # Else the budget would count the pod that migrates, too.
    assert documents["Job"]["spec"]["template"]["metadata"]["labels"] != labels
    assert documents["PodDisruptionBudget"]["spec"]["maxUnavailable"] < documents["Deployment"]["spec"]["replicas"]


def test_every_variable_that_a_sample_sets_is_read() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "pgqueue").rglob("*.py"))
    named = {name for path in SAMPLES for name in re.findall(r"\bPGQUEUE_[A-Z_]+\b", path.read_text())}
    assert named
    assert {name for name in named if name not in code} == set()


@pytest.mark.adopt
@pytest.mark.parametrize("version", ["1.31", "1.34"])
def test_kubernetes_takes_every_document(version: str) -> None:
    import kubernetes_validate

    for document in kubernetes().values():
        kubernetes_validate.validate(document, version, strict=True)
