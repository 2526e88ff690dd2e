"""An application whose spans are lines of JSON in the file that SPANS_FILE names: also from a child process."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

import pgqueue.otel
from tests.watching.tasks import fail_once, fork, send

__all__ = ["fail_once", "fork", "send"]


class FileExporter(SpanExporter):
    """Appends each span as a line."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with open(os.environ["SPANS_FILE"], "a") as file:
            for span in spans:
                above = span.parent and f"{span.parent.span_id:016x}"
                links = [f"{link.context.span_id:016x}" for link in span.links]
                told = {
                    "name": span.name,
                    "trace": f"{span.context.trace_id:032x}",
                    "span": f"{span.context.span_id:016x}",
                    "above": above,
                    "links": links,
                }
                file.write(json.dumps(told) + "\n")
        return SpanExportResult.SUCCESS


if "SPANS_FILE" in os.environ:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(FileExporter()))
    pgqueue.otel.instrument(tracer_provider=provider)
