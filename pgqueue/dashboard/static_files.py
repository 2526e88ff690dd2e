"""The files of the look: held in memory, and named by their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class StaticFiles:
    """Answers with a file if its hash is the one that is asked for."""

    def __init__(self) -> None:
        folder = files("pgqueue.dashboard") / "static"
        self._files = {
            each.name: each.read_bytes() for each in folder.iterdir() if any(each.name.endswith(kind) for kind in KINDS)
        }
        self.hashes = {name: hashlib.sha256(content).hexdigest()[:16] for name, content in self._files.items()}

    async def __call__(self, request: Request) -> Response:
        """The file that a request asks for."""
        name, digest = request.path_params["name"], request.path_params["digest"]
        if self.hashes.get(name) != digest:
            return PlainTextResponse("no such file\n", 404)
        kind = next(kind for ending, kind in KINDS.items() if name.endswith(ending))
        headers = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(self._files[name], media_type=kind, headers=headers)
