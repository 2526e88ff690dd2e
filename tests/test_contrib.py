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


def pod() -> dict[str, Any]:
    (document,) = yaml.safe_load_all(SAMPLES[2].read_text())
    assert document["kind"] == "Deployment"
    assert document["spec"]["selector"]["matchLabels"] == document["spec"]["template"]["metadata"]["labels"]
    return document["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def shutdown_timeout(words: list[str]) -> float:
    """What a command line says, in seconds."""
    said = re.search(r"--shutdown-timeout[= ](\d+)s", " ".join(words))
    assert said is not None
    return float(said[1])


@pytest.mark.parametrize("path", [*SAMPLES, CONTRIB / "README.md"], ids=lambda path: path.name)
def test_every_option_that_a_sample_names_exists(path: Path) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", path.read_text())) - {"--now"}
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
    spec = pod()
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
