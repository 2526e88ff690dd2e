"""Act as a browser does: the form of an action is fetched, filled in and sent, and the way it leads is followed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode

from tests.dashboard.asking import Answer, ask

SAME_ORIGIN = [("sec-fetch-site", "same-origin")]
FORM = ("content-type", "application/x-www-form-urlencoded")
_TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')


def address(subject: str, name: str, key: object) -> str:
    """Where an action on a thing is done."""
    return f"/act/{subject}/{name}?of={quote(str(key), safe='')}"


def form(app: Any, at: str, **how: Any) -> Answer:
    """The form of an action."""
    return ask(app, at, **how)


def token_of(answer: Answer) -> str:
    """The token in a page with a form."""
    found = _TOKEN.search(answer.text)
    assert found, answer.text
    return found[1]


class _Fields(HTMLParser):
    """What a browser sends of a form that nobody has touched."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: dict[str, str] = {}
        self._inside = False
        self._area: str | None = None
        self._select: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        name, value = said.get("name") or "", said.get("value") or ""
        self._inside |= tag == "form" and said.get("method") == "post"
        if not self._inside:
            return
        if tag == "input":
            self.fields[name] = value
        elif tag == "textarea":
            self._area = name
            self.fields[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in said or self._select not in self.fields):
            self.fields[self._select] = value

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "form"
        self._area = None if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data


def fields_of(answer: Answer) -> dict[str, str]:
    """The fields of a form, as they stand."""
    return _Fields(answer.text).fields


def post(
    app: Any,
    at: str,
    fields: Mapping[str, str],
    *,
    headers: Iterable[tuple[str, str]] = SAME_ORIGIN,
    **how: Any,
) -> Answer:
    """Send a form."""
    return ask(app, at, method="POST", headers=[*headers, FORM], body=urlencode(fields).encode(), **how)


def act(app: Any, at: str, headers: Iterable[tuple[str, str]] = (), **fields: str) -> Answer:
    """Fetch a form, fill it in, send it."""
    return post(app, at, {**fields_of(form(app, at, headers=headers)), **fields}, headers=[*headers, *SAME_ORIGIN])


def followed(app: Any, answer: Answer, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """The page to which an act leads."""
    assert answer.status == 303, (answer.status, answer.text)
    where = answer.header("location")
    assert where is not None
    return ask(app, where, headers=headers)


def said(app: Any, answer: Answer) -> str:
    """The notice on the page to which an act leads."""
    found = re.search(r'id="notice"[^>]*>.*?</svg>(.*?)</p>', followed(app, answer).text, re.DOTALL)
    assert found
    return html.unescape(found[1])
