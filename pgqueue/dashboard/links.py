"""Addresses of the dashboard's own pages, below wherever it is mounted, and of pages elsewhere about a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from pgqueue.errors import UsageError
from pgqueue.record import Job


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where pages are: their paths by name, below `root`."""

    root: str
    paths: Mapping[str, str]
    files: Mapping[str, str]

    def page(self, name: str, /, **params: object) -> str:
        """The address of a page; what its path does not take stands behind the question mark, if it is something."""
        path = self.paths[name]
        query = {}
        for key, value in params.items():
            if f"{{{key}}}" in path:
                path = path.replace(f"{{{key}}}", quote(str(value), safe=""))
            elif value is not None:
                query[key] = str(value)
        return f"{self.root}{path}{f'?{urlencode(query)}' if query else ''}"

    def file(self, name: str) -> str:
        """The address of a file of the look, which holds its content's hash: it never changes."""
        return f"{self.root}/static/{self.files[name]}/{name}"


@dataclass(frozen=True, slots=True)
class Link:
    """A page elsewhere: its name, and its address with `{id}`, `{queue}`, `{target}` to be filled in."""

    name: str
    address: str

    def __post_init__(self) -> None:
        if not self.address.startswith(("https://", "http://")):
            raise UsageError(f"a link begins with https:// or http://, got {self.address!r}")

    def of(self, job: Job) -> str:
        """The address for one job."""
        found = self.address
        for name, value in (("{id}", str(job.id)), ("{queue}", job.queue), ("{target}", job.target)):
            found = found.replace(name, quote(value, safe=""))
        return found
