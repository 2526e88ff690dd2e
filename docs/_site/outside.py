"""A hook of MkDocs: links out of docs/ lead to pages, and who searches finds questions first.

A file outside of docs/ that some page links to (a test, a sample, a README) becomes the page `source/` and its path.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent.parent
DOCS = "docs"
SOURCE = "source"
LANGUAGES = {".py": "python", ".sql": "sql", ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}

# Who searches has a question before he has an interest: the first that fits is how much a page counts.
WEIGHTS = {"guides/faq.md": 5, "guides/": 2, "tutorial.md": 2, "reference/": 1, "design/": 0.3}

_FENCE = re.compile(r"^```.*?^```\n?", re.MULTILINE | re.DOTALL)
_MARKS = re.compile(r"^```(\w+) [^\n]*$", re.MULTILINE)
_LINK = re.compile(r"(\[[^\]]+\])\(([^)\s:#]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    config.mdx_configs.setdefault("toc", {})["slugify"] = anchor_of
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file outside of docs/ that a page leads to, and for those that these lead to."""
    waiting = [f"{DOCS}/{file.src_uri}" for file in files.documentation_pages()]
    waiting += _named_in_nav(config.nav)
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        if not path.startswith(f"{DOCS}/"):
            files.append(File.generated(config, page_of(path), content=_content(path)))
        if path.endswith(".md"):
            found = set(_targets(path)) - seen
            seen |= found
            waiting += [target for target in found if not target.startswith(f"{DOCS}/") and _is_there(target)]
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links to files of the repository into links to their pages; of a fence, keep the language alone."""
    path = file_of(page.file.src_uri)
    if page.is_homepage:
        # It lists all pages itself; the room is for its code.
        page.meta["hide"] = ["navigation"]
    weight = next((weight for start, weight in WEIGHTS.items() if page.file.src_uri.startswith(start)), 1)
    page.meta.setdefault("search", {}).setdefault("boost", weight)

    def turned(link: re.Match[str]) -> str:
        target = _resolved(path, link[2])
        if target is None:
            return link[1][1:-1]
        if not _is_there(target):
            return link[0]
        to = posixpath.relpath(page_of(target), posixpath.dirname(page.file.src_uri))
        return f"{link[1]}({to}{link[3] or ''})"

    return _MARKS.sub(r"```\1", _outside_fences(markdown, lambda prose: _LINK.sub(turned, prose)))


def anchor_of(heading: str, separator: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", separator)


def page_of(path: str) -> str:
    """Which page a file of the repository is."""
    if path.startswith(f"{DOCS}/"):
        return path.removeprefix(f"{DOCS}/")
    return f"{SOURCE}/{path}" if path.endswith(".md") else f"{SOURCE}/{path}.md"


def file_of(page: str) -> str:
    """Which file of the repository a page is."""
    if not page.startswith(f"{SOURCE}/"):
        return f"{DOCS}/{page}"
    path = page.removeprefix(f"{SOURCE}/")
    return path if (ROOT / path).is_file() else path.removesuffix(".md")


def _named_in_nav(entries: object) -> list[str]:
    """The files outside of docs/ that the navigation names."""
    match entries:
        case str() if entries.startswith(f"{SOURCE}/"):
            return [file_of(entries)]
        case list():
            return [path for entry in entries for path in _named_in_nav(entry)]
        case dict():
            return [path for entry in entries.values() for path in _named_in_nav(entry)]
        case _:
            return []


def _targets(path: str) -> list[str]:
    """Which files a Markdown file links to."""
    text = _FENCE.sub("", (ROOT / path).read_text())
    return [target for link in _LINK.finditer(text) if (target := _resolved(path, link[2])) is not None]


def _resolved(path: str, to: str) -> str | None:
    """The file that a link of a file leads to; of a folder its README; None if that has none."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), to))
    if not (ROOT / target).is_dir():
        return target
    return f"{target}/README.md" if (ROOT / target / "README.md").is_file() else None


def _is_there(path: str) -> bool:
    """Whether there is such a file; where not, MkDocs finds the link broken."""
    return (ROOT / path).is_file()


def _content(path: str) -> str:
    text = (ROOT / path).read_text()
    if path.endswith(".md"):
        return text
    language = LANGUAGES.get(posixpath.splitext(path)[1], "text")
    # Longer than any fence within. Not searched: who searches wants the page that tells of it.
    return f"---\ntitle: {path}\nsearch:\n  exclude: true\n---\n\n# {path}\n\n``````{language}\n{text}\n``````\n"


def _outside_fences(markdown: str, change: Callable[[str], str]) -> str:
    parts, at = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [change(markdown[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*parts, change(markdown[at:])])
