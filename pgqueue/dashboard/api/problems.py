"""Errors as `application/problem+json` (RFC 9457): what was wrong, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response

from pgqueue.printable import as_json

KIND = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    """What went wrong: `detail` says it of this request, `cure` what to do."""

    type: str
    title: str
    status: int
    detail: str
    cure: str


class Problem(Exception):
    """An answer that is none: `why`, and what to do about it."""

    def __init__(self, status: int, why: str, cure: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.status, self.why, self.cure, self.headers = status, why, cure, headers or {}

    def response(self) -> Response:
        """The answer as it is sent."""
        said = ProblemAnswer("about:blank", HTTPStatus(self.status).phrase, self.status, self.why, self.cure)
        values = {name: getattr(said, name) for name in ProblemAnswer.__slots__}
        return Response(as_json(values, indent=2) + "\n", self.status, dict(self.headers), media_type=KIND)


def wrong(why: str, cure: str) -> Problem:
    """The request says something that cannot be meant."""
    return Problem(400, why, cure)


def missing(
    why: str, cure: str = "look at the list that should have it; names are compared letter by letter"
) -> Problem:
    """There is nothing of that name, or nothing that exists for whoever asks."""
    return Problem(404, why, cure)
