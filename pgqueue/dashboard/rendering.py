"""From what a page found to HTML: the templates, what they may call, and the regions that are kept fresh."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pgqueue.dashboard.bars import bar
from pgqueue.dashboard.caret import caret
from pgqueue.dashboard.figures import brief_id, figure, lasting, moment, number, short, shown, target
from pgqueue.dashboard.icons import icon
from pgqueue.dashboard.links import Addresses
from pgqueue.dashboard.pages.page import Page
from pgqueue.dashboard.reasons import meaning
from pgqueue.search import word

# Letters of a hash that tell one state of a region from another.
DIGITS = 16


class Renderer:
    """Renders pages and their regions."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._env = Environment(
            loader=PackageLoader("pgqueue.dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.filters |= {
            "brief_id": brief_id,
            "lasting": lasting,
            "moment": partial(moment, zone=zone),
            "number": number,
            "short": short,
            "target": target,
        }
        self._env.globals |= {
            "bar": bar,
            "figure": figure,
            "icon": icon,
            "since": _since,
            "meaning": meaning,
            "word": word,
            "caret": caret,
        }

    def regions(self, page: Page, found: Mapping[str, Any], here: Addresses, common: Mapping[str, Any]) -> Regions:
        """The regions of a page."""
        values = {**common, **found, "url": here.page, "file": here.file, "page": page}
        ui = self._env.get_template("macros.html").make_module(values)
        return Regions(
            page,
            {name: self._env.get_template(f"{page.name}/{name}.html").render(values, ui=ui) for name in page.regions},
            {**values, "ui": ui},
        )

    def page(self, regions: Regions, common: Mapping[str, Any]) -> str:
        """A whole page."""
        template = self._env.get_template(f"{regions.page.name}.html")
        return template.render(
            {**regions.context, **common, "regions": {name: regions.whole(name) for name in regions}}
        )

    def other(self, name: str, here: Addresses, values: Mapping[str, Any]) -> str:
        """A page that asks the database nothing."""
        all_values = {**values, "url": here.page, "file": here.file}
        ui = self._env.get_template("macros.html").make_module(all_values)
        return self._env.get_template(name).render(all_values, ui=ui)


class Regions(Mapping[str, str]):
    """The regions of a page as HTML, and hashes that tell whether one has changed."""

    def __init__(self, page: Page, parts: Mapping[str, str], context: Mapping[str, Any]) -> None:
        self.page, self.context = page, context
        self._parts = dict(parts)
        self.hashes = {
            name: hashlib.sha256(text.encode(errors="replace")).hexdigest()[:DIGITS] for name, text in parts.items()
        }

    def __getitem__(self, name: str) -> str:
        return self._parts[name]

    def __iter__(self) -> Any:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def whole(self, name: str) -> Markup:
        """A region in its element, which says what state it is in."""
        return Markup('<div id="region-{0}" data-region="{0}" data-hash="{1}">\n{2}</div>').format(
            name, self.hashes[name], Markup(self._parts[name])
        )


def _since(moment: datetime | None, now: datetime) -> Any:
    return None if moment is None else now - moment
