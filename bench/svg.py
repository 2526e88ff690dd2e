"""Two kinds of figure, bars and lines, as SVG that reads well on light and on dark."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT = 760, 250, 70
ROW, TOP, BOTTOM = 24, 44, 30
PLOT = 220
# Beyond so many times the median a bar would leave nothing to see of the others.
FAR = 5
COLOURS = ("ours", "second", "third", "other")
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #444 } .title { font-size: 14px; font-weight: 600 }
  .ours { fill: #2f7fd1; stroke: #2f7fd1 } .other { fill: #9aa3ad; stroke: #9aa3ad }
  .second { fill: #d1792f; stroke: #d1792f } .third { fill: #3a9d5d; stroke: #3a9d5d }
  .mark { stroke: #c0392b; stroke-width: 2; stroke-dasharray: 4 3 } .axis { stroke: #8886; stroke-width: 1 }
  .line { fill: none; stroke-width: 2 } .dot { stroke: none }
  @media (prefers-color-scheme: dark) { text { fill: #ccc } .other { fill: #78828d } .mark { stroke: #ff7766 } }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `mark` is where its target lies, `ours` whether it is pgqueue's."""

    label: str
    value: float
    shown: str
    mark: float | None = None
    ours: bool = True


def bars(title: str, rows: Sequence[Bar], *, cut: bool = False) -> str:
    """Bars below one another, on one scale from nothing; with `cut` those far longer than most end at its edge."""
    limit = FAR * statistics.median(row.value for row in rows) if cut else math.inf
    most = max([row.value for row in rows if row.value <= limit] + [row.mark or 0.0 for row in rows]) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / most
    parts = []
    for number, row in enumerate(rows):
        y = TOP + number * ROW
        length = max(1.0, min(row.value, most) * scale)
        parts.append(_text(LEFT - 8, y + 13, row.label, "end"))
        colour = "ours" if row.ours else "other"
        parts.append(f'<rect class="{colour}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{ROW - 8}" rx="2"/>')
        parts.append(_text(LEFT + length + 6, y + 13, f"» {row.shown}" if row.value > most else row.shown))
        if row.mark is not None:
            x = LEFT + row.mark * scale
            parts.append(f'<line class="mark" x1="{x:.1f}" y1="{y - 3}" x2="{x:.1f}" y2="{y + ROW - 5}"/>')
    return _page(title, TOP + len(rows) * ROW + 8, parts)


def lines(title: str, steps: Sequence[str], series: Mapping[str, Sequence[float | None]], unit: str) -> str:
    """A line for each series over the same steps, from nothing up."""
    most = max((value for each in series.values() for value in each if value is not None), default=1.0) or 1.0
    left, height = 60, TOP + PLOT + BOTTOM
    width = (WIDTH - left - RIGHT - 60) / max(1, len(steps) - 1)
    base = TOP + PLOT
    parts = [f'<line class="axis" x1="{left}" y1="{base}" x2="{WIDTH - RIGHT}" y2="{base}"/>']
    for part in (0.5, 1.0):
        y = base - part * PLOT
        parts.append(f'<line class="axis" x1="{left}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>')
        parts.append(_text(left - 6, y + 4, f"{most * part:,.3g}", "end"))
    parts.append(_text(left - 6, TOP - 10, unit, "end"))
    parts += [_text(left + number * width, base + 18, step, "middle") for number, step in enumerate(steps)]
    for colour, (name, values) in zip(COLOURS, series.items(), strict=False):
        points = [
            (left + number * width, base - value / most * PLOT)
            for number, value in enumerate(values)
            if value is not None
        ]
        if points:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline class="line {colour}" style="fill: none" points="{path}"/>')
            parts += [f'<circle class="dot {colour}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points]
            parts.append(_text(points[-1][0] + 8, points[-1][1] + 4, name))
    return _page(title, height, parts)


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    of = f' class="{kind}"' if kind else ""
    return f'<text{of} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _page(title: str, height: float, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    body = [f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", _text(8, 22, title, kind="title"), *parts]
    return "\n".join([head, *body, "</svg>", ""])
