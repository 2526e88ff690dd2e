"""The description of the API in OpenAPI 3.1, made from its routes: `pgqueue dashboard --openapi` prints it."""

from __future__ import annotations

import json
from typing import Any

from pgqueue.dashboard.actions import ACTIONS
from pgqueue.dashboard.actions.action import Action
from pgqueue.dashboard.api.act_schemas import body_of
from pgqueue.dashboard.api.acts import ActAnswer, of
from pgqueue.dashboard.api.forms import FormAnswer
from pgqueue.dashboard.api.parameters import Parameter
from pgqueue.dashboard.api.problems import KIND, ProblemAnswer
from pgqueue.dashboard.api.reads import ROUTES
from pgqueue.dashboard.api.route import BASE, Route
from pgqueue.dashboard.api.schemas import Schemas
from pgqueue.version import __version__

ABOUT = (
    "What the pages of the dashboard show and do, as JSON, under the names of `--json`. Off unless asked"
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


# And what an action may.
OF_ACTS = {
    "403": "the token may not, or the dashboard reads alone",
    "408": "the body did not come in time",
    "409": "it was not done: what it is done on stands otherwise",
    "413": "the body is too large",
    "415": "the body is no application/json",
    "422": "a field cannot be meant as it is said; nothing was done",
}


def document() -> dict[str, Any]:
    """The description of all routes."""
    schemas = Schemas()
    problem = schemas.of(ProblemAnswer)
    paths: dict[str, Any] = {f"{BASE}{route.path}": {"get": _operation(route, schemas)} for route in ROUTES}
    paths |= {
        f"{BASE}{action.path}": {"get": _form(action, schemas), "post": _act(action, schemas)} for action in ACTIONS
    }
    paths[DESCRIPTION] = {"get": _OF_ITSELF}
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "pgqueue",
            "version": __version__,
            "summary": "See and steer what a queue does",
            "description": ABOUT,
        },
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
                code: {"description": said, "content": {KIND: {"schema": problem}}}
                for code, said in sorted((PROBLEMS | OF_ACTS).items())
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
        "responses": _responses(route.answer, schemas),
    }


def _responses(answer: Any, schemas: Schemas, *more: str) -> dict[str, Any]:
    return {
        "200": {
            "description": "the answer",
            "headers": {"ETag": {"description": "its tag", "schema": {"type": "string"}}},
            "content": {"application/json": {"schema": schemas.of(answer)}},
        },
        "304": {"description": "it is still that of the tag in If-None-Match"},
        **{code: {"$ref": f"#/components/responses/{code}"} for code in (*PROBLEMS, *more)},
    }


def _form(action: Action, schemas: Schemas) -> dict[str, Any]:
    return {
        "operationId": f"{_id(action)}_form",
        "summary": f"{action.words}: with what it would be done",
        "parameters": [_parameter(of(action)), _KNOWN],
        "responses": _responses(FormAnswer, schemas, "403"),
    }


def _id(action: Action) -> str:
    return f"{action.on.name}_{action.name}".replace("-", "_")


def _act(action: Action, schemas: Schemas) -> dict[str, Any]:
    about = f" {action.about}" if action.about else ""
    return {
        "operationId": _id(action),
        "summary": f"{action.words}: on the {action.on.name}",
        "description": f"For tokens with the permission `{action.permission}`.{about}",
        "parameters": [_parameter(of(action))],
        "requestBody": body_of(action),
        "responses": {
            "200": {
                "description": "it is done",
                "content": {"application/json": {"schema": schemas.of(ActAnswer)}},
            },
            **{code: {"$ref": f"#/components/responses/{code}"} for code in (*PROBLEMS, *OF_ACTS)},
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
