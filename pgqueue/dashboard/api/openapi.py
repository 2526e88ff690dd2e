"""The description of the API in OpenAPI 3.1, made from its routes: `pgqueue dashboard --openapi` prints it."""

from __future__ import annotations

import json
from typing import Any

from pgqueue.dashboard.api.parameters import Parameter
from pgqueue.dashboard.api.problems import KIND, ProblemAnswer
from pgqueue.dashboard.api.reads import ROUTES
from pgqueue.dashboard.api.route import BASE, Route
from pgqueue.dashboard.api.schemas import Schemas
from pgqueue.version import __version__

ABOUT = (
    "What the pages of the dashboard show, as JSON, under the names that `--json` of commands has. Off unless asked"
    " for: `create_app(api=Tokens(...))`, `pgqueue dashboard --api FILE`. Ids are texts; integers in arguments and"
    " results are as they were written, however long; times are ISO 8601, durations seconds. Reads are bounded; a"
    " list says by `next` how to go on, null at the end. Fields may be added: leave unread what you do not know."
)
DESCRIPTION = f"{BASE}/openapi.json"
# What any route may answer instead.
PROBLEMS = {
    "400": "a parameter cannot be meant as it is said",
    "401": "no token, or one that nobody has; wrong ones are answered later and later",
    "404": "there is nothing of that name, or nothing that exists for this token",
    "405": "the route does not know the method",
    "429": "too many wrong tokens are tried at once",
    "500": "it could not be answered; the log of the server says why",
    "503": "the database did not answer in time; `Retry-After` says when to ask again",
}


def document() -> dict[str, Any]:
    """The description of all routes."""
    schemas = Schemas()
    problem = schemas.of(ProblemAnswer)
    paths: dict[str, Any] = {f"{BASE}{route.path}": {"get": _operation(route, schemas)} for route in ROUTES}
    paths[DESCRIPTION] = {"get": _OF_ITSELF}
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "pgqueue", "version": __version__, "summary": "See what a queue does", "description": ABOUT},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "of `pgqueue dashboard --new-token NAME`; no cookie and no password opens the API",
                }
            },
            "responses": {
                code: {"description": said, "content": {KIND: {"schema": problem}}} for code, said in PROBLEMS.items()
            },
            "schemas": dict(sorted(schemas.named.items())),
        },
    }


def text() -> str:
    """The description as it stands in docs/reference/openapi.json."""
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    shown_on = {} if route.page is None else {"description": f"What the page `{route.page}` shows."}
    return {
        "operationId": route.name,
        "summary": route.says,
        **shown_on,
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "description": said, "schema": {"type": "string"}}
                for name, said in route.places.items()
            ),
            *map(_parameter, route.parameters),
            _KNOWN,
        ],
        "responses": {
            "200": {
                "description": "the answer",
                "headers": {"ETag": {"description": "its tag", "schema": {"type": "string"}}},
                "content": {"application/json": {"schema": schemas.of(route.answer)}},
            },
            "304": {"description": "it is still that of the tag in If-None-Match"},
            **{code: {"$ref": f"#/components/responses/{code}"} for code in PROBLEMS},
        },
    }


def _parameter(each: Parameter) -> dict[str, Any]:
    return {
        "name": each.name,
        "in": "query",
        "required": each.required,
        "description": each.says,
        "schema": dict(each.schema),
    }


_KNOWN = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "tags of answers that are known already",
    "schema": {"type": "string"},
}
_OF_ITSELF = {
    "operationId": "openapi",
    "summary": "This description",
    "responses": {
        "200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}},
        "401": {"$ref": "#/components/responses/401"},
    },
}
