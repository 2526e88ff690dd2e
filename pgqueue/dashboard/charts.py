"""Lines over time, drawn on the server; a script makes them larger and lets fingers move over them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT = 600, 120
# Rows of the table that says the same in figures.
ROWS = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A name, the state whose colour it has, and a value for each moment; None where nobody knows."""

    name: str
    colour: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over the same moments; `unit` says how their values are written: `count`, `rate` or `seconds`."""

    name: str
    unit: str
    moments: Sequence[datetime]
    lines: Sequence[Line]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be drawn."""
        return len(self.moments) < 2 or not any(value is not None for line in self.lines for value in line.values)

    @property
    def most(self) -> float:
        """The largest value."""
        return max((value for line in self.lines for value in line.values if value is not None), default=0.0)

    @property
    def data(self) -> str:
        """What the script needs, as JSON."""
        told: dict[str, Any] = {
            "unit": self.unit,
            "x": [round(at.timestamp()) for at in self.moments],
            "lines": [
                {"name": line.name, "colour": line.colour, "values": [_short(value) for value in line.values]}
                for line in self.lines
            ],
        }
        return json.dumps(told, separators=(",", ":"))

    @property
    def drawing(self) -> Markup:
        """The lines as SVG."""
        drawn = Markup("").join(self._line(line) for line in self.lines)
        return Markup(
            '<svg class="lines-svg" viewBox="0 0 {0} {1}" preserveAspectRatio="none" aria-hidden="true">{2}</svg>'
        ).format(WIDTH, HEIGHT, drawn)

    @property
    def rows(self) -> list[tuple[datetime, list[float | None]]]:
        """The newest moments with their values, the latest first."""
        there = list(zip(self.moments, zip(*(line.values for line in self.lines), strict=True), strict=True))
        return [(at, list(values)) for at, values in there[-ROWS:][::-1]]

    def _line(self, line: Line) -> Markup:
        begin, end = self.moments[0].timestamp(), self.moments[-1].timestamp()
        most, length = self.most or 1.0, (end - begin) or 1.0
        pieces, pen = [], "M"
        for at, value in zip(self.moments, line.values, strict=True):
            if value is None:
                pen = "M"
                continue
            x, y = WIDTH * (at.timestamp() - begin) / length, (HEIGHT - 2) - (HEIGHT - 4) * value / most
            pieces.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
        return Markup('<path class="line-{}" d="{}" vector-effect="non-scaling-stroke"/>').format(
            line.colour, "".join(pieces)
        )


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
