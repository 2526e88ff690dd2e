"""The description in OpenAPI is what the routes do, no less and no more."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from pgqueue.dashboard import Dashboard
from pgqueue.dashboard.api.openapi import document, text
from pgqueue.dashboard.api.reads import ROUTES
from pgqueue.dashboard.api.route import BASE
from pgqueue.dashboard.pages import PAGES
from tests.api.addresses import ADDRESSES, route_of
from tests.api.asking import ask, read
from tests.dashboard.filled import Filled
from tests.postgres import ROOT


def test_the_file_is_what_the_routes_say() -> None:
    stands = (ROOT / "docs" / "reference" / "openapi.json").read_text()
    assert stands == text(), "make it anew: pgqueue dashboard --openapi > docs/reference/openapi.json"


def test_it_is_valid_openapi() -> None:
    validate(document())


def test_it_is_answered_too(app: Dashboard) -> None:
    assert read(app, "/openapi.json", "viewer") == document()


def test_every_page_has_a_route_that_answers_the_same() -> None:
    assert {page.path for page in PAGES} - {route.page for route in ROUTES} == set()


def test_every_route_is_asked_here() -> None:
    assert {route.name for route in ROUTES} == {route_of(address).name for address in ADDRESSES}


@pytest.mark.parametrize("who", ["admin", "viewer"])
def test_every_route_answers_as_its_schema_says_and_nothing_else(app: Dashboard, filled: Filled, who: str) -> None:
    described = strict(document())
    for shape in ADDRESSES:
        address = filled.address(shape)
        operation = described["paths"][f"{BASE}{route_of(shape).path}"]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        check(described, schema, read(app, address, who), address)


def test_what_goes_wrong_is_as_its_schema_says(app: Dashboard) -> None:
    described = strict(document())
    for address in ("/jobs?limit=x", "/jobs/0", "/nowhere", "/operations/x"):
        answer = ask(app, address)
        assert answer.header("content-type") == "application/problem+json"
        schema = described["components"]["responses"][str(answer.status)]["content"]["application/problem+json"]
        told = json.loads(answer.text)
        check(described, schema["schema"], told, address)
        assert told["status"] == answer.status
        assert told["cure"]


def strict(described: dict[str, Any]) -> dict[str, Any]:
    """The description, in which an object has no fields but those that it names."""

    def close(value: Any) -> None:
        if isinstance(value, dict):
            if "properties" in value and value.get("type") == "object":
                value["additionalProperties"] = False
            for each in value.values():
                close(each)
        elif isinstance(value, list):
            for each in value:
                close(each)

    closed = copy.deepcopy(described)
    close(closed["components"]["schemas"])
    return closed


def check(described: dict[str, Any], schema: dict[str, Any], told: Any, address: str) -> None:
    whole = {**schema, "components": described["components"]}
    faults = [
        f"{'/'.join(map(str, each.absolute_path))}: {each.message}"
        for each in Draft202012Validator(whole).iter_errors(told)
    ]
    assert faults == [], address
