"""From numbers to the text that Prometheus reads, by its own client: extra `prometheus`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pgqueue.buckets import BOUNDS
from pgqueue.errors import UsageError
from pgqueue.metrics.names import METRICS
from pgqueue.metrics.series import Told

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

# By the values of the metric's labels, a tuple of texts.
Numbers = Mapping[Any, float]
_BOUNDS = [*(str(float(bound)) for bound in BOUNDS), "+Inf"]


def is_there() -> bool:
    """Whether the extra is installed."""
    return find_spec("prometheus_client") is not None


def require() -> None:
    """Raise UsageError if the extra is not installed."""
    if not is_there():
        raise UsageError("metrics need prometheus-client; run `pip install 'pgqueue-postgres[prometheus]'`")


def numbers(name: str, values: Numbers) -> Family:
    """A counter, a gauge, or an info whose labels tell."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

    metric = METRICS[name]
    if metric.kind == "info":
        info = InfoMetricFamily(name.removesuffix("_info"), metric.about)
        for labels in values:
            info.add_metric([], dict(zip(metric.labels, labels, strict=True)))
        return info
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(name, metric.about, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def histograms(name: str, values: Mapping[Any, Told]) -> Family:
    """A histogram over the buckets that all of pgqueue's durations have."""
    from prometheus_client.core import Exemplar, HistogramMetricFamily

    metric = METRICS[name]
    family = HistogramMetricFamily(name, metric.about, labels=metric.labels)
    for labels, told in values.items():
        sums: list[Any] = []
        below = 0
        for number, (bound, count) in enumerate(zip(_BOUNDS, told.counts, strict=True)):
            below += count
            example = told.examples.get(number)
            known = None if example is None else Exemplar({"trace_id": example.trace}, example.seconds, example.at)
            sums.append((bound, float(below), known))
        family.add_metric(labels, sums, told.total)
    return family


def rendered(collect: Callable[[], Iterable[Family]], accept: str) -> tuple[str, bytes]:
    """The content type and the body of an answer: OpenMetrics for who accepts it, else the older text."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(collect))
    encode, kind = choose_encoder(accept)
    return kind, encode(registry)


class _Collector:
    def __init__(self, collect: Callable[[], Iterable[Family]]) -> None:
        self.collect = collect

    def describe(self) -> list[Family]:
        """Nothing: what there is, is known when it is collected."""
        return []
