"""Shares of a whole as one bar, drawn in SVG: attributes of drawing need no style in the page."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

WIDTH = 100.0
# Of a hundred: what is there at all can be seen.
NARROWEST = 2.0


def bar(parts: Iterable[tuple[str, int | None]], most: float | None = None, words: str = "") -> Markup:
    """A bar of parts, each with the class that colours it; as long as they are of `most`, if that is given."""
    there = [(name, value) for name, value in parts if value]
    total = float(sum(value for _, value in there))
    whole = max(most or total, total) or 1.0
    length = WIDTH if most is None else max(WIDTH * total / whole, NARROWEST * len(there))
    widths = _widths([value for _, value in there], length)
    at, drawn = 0.0, []
    for (name, _), width in zip(there, widths, strict=True):
        drawn.append(
            Markup('<rect x="{}" width="{}" height="8" class="fill-{}"/>').format(_round(at), _round(width), name)
        )
        at += width
    said = words or ", ".join(f"{value:,} {name}" for name, value in there) or "nothing"
    return Markup(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{0}">'
        '<title>{0}</title><rect width="100" height="8" class="fill-none"/>{1}</svg>'
    ).format(said, Markup("").join(drawn))


def _widths(values: list[int], length: float) -> list[float]:
    """Widths that add up to `length`, none so narrow that nobody sees it."""
    if not values:
        return []
    least = min(NARROWEST, length / len(values))
    spare = length - least * len(values)
    total = sum(values)
    return [least + spare * value / total for value in values]


def _round(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
