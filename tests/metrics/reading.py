"""What Prometheus reads, read by its own client."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as older_text

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
Labels = tuple[tuple[str, str], ...]


def fetched(port: int, accept: str = OPEN_METRICS, path: str = "/metrics") -> tuple[int, str, str]:
    """Status, content type and body of what is answered there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read().decode()
    finally:
        connection.close()


def families(text: str) -> dict[str, Metric]:
    """The families of an answer, in whichever of the two formats it is."""
    parse = open_metrics if text.endswith("# EOF\n") else older_text
    return {family.name: family for family in parse(text)}


def samples(text: str) -> dict[tuple[str, Labels], float]:
    """Every number by its name and labels."""
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in _all(text)}


def _all(text: str) -> Iterator[object]:
    for family in families(text).values():
        yield from family.samples
