"""The Grafana board and the alert rules ask for what is told, by labels that it has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from pgqueue.metrics.names import METRICS
from tests.postgres import ROOT

CONTRIB = ROOT / "contrib"
BOARD = json.loads((CONTRIB / "grafana.json").read_text())
RULES = yaml.safe_load((CONTRIB / "alerts.yaml").read_text())
ASKED = re.compile(r"\b(pgqueue_[a-z_]+)(?:\{([^}]*)\})?")
# What a scraper adds, and the bound of a bucket.
ADDED = {"instance", "job", "le"}


def expressions() -> Iterator[str]:
    for panel in BOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in BOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"]
    for group in RULES["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def asked(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric that an expression names, with the labels that it is chosen by."""
    for name, matchers in ASKED.findall(expression):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        yield base if base in METRICS and METRICS[base].kind == "histogram" else name, labels


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_an_expression_names_metrics_and_labels_that_exist(expression: str) -> None:
    found = list(asked(expression))
    assert found
    known: set[str] = set()
    for name, labels in found:
        assert name in METRICS
        known |= set(METRICS[name].labels) | ADDED
        assert labels <= set(METRICS[name].labels) | ADDED
    for grouped in re.findall(r"\bby \(([^)]*)\)", expression):
        assert {label.strip() for label in grouped.split(",")} <= known
    assert expression.count("(") == expression.count(")")


def test_the_board_shows_every_metric() -> None:
    shown = {name for expression in expressions() for name, _ in asked(expression)}
    assert set(METRICS) - shown == set()


def test_a_rule_says_what_to_look_at_by_labels_that_are_there() -> None:
    for group in RULES["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"]
            known = ADDED | {label for name, _ in asked(rule["expr"]) for label in METRICS[name].labels}
            said = " ".join(rule["annotations"].values())
            assert set(re.findall(r"\$labels\.(\w+)", said)) <= known


def test_panels_do_not_lie_on_one_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells, panel["title"]
        taken |= cells
