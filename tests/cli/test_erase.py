"""`pgqueue erase`: what it says, what it asks, and what the audit has of it."""

from __future__ import annotations

from tests.cli.conftest import Command


def test_a_person_is_erased_after_a_look_and_the_audit_does_not_name_them(pgqueue: Command) -> None:
    for customer in (42, 43):
        pgqueue("enqueue", "shop.tasks:send", '{"email": "a@b"}', "--label", f"customer={customer}")
    seen = pgqueue("erase", "--label", "customer=42", "--dry-run")
    assert (seen.code, "jobs" in seen.out) == (0, True)
    assert len(pgqueue("jobs", "list", "--json").json) == 2
    done = pgqueue("erase", "--label", "customer=42", "--yes", "--reason", "asked by them", "--json").json
    assert done["removed"] == {"jobs": 1, "attempts": 1}
    assert (done["running"], done["elsewhere"]) == ([], {})
    assert [job["labels"] for job in pgqueue("jobs", "list", "--json").json] == [{"customer": "43"}]
    audit = pgqueue("audit", "list", "--json").json
    assert [(act["action"], act["filter"], act["n"]) for act in audit] == [
        ("erase done", "label customer", 2),
        ("erase", "label customer", None),
    ]
    assert "42" not in str([act["filter"] for act in audit])
    assert pgqueue("erase", "--arg", "email=a@b", "--yes").code == 0
    assert pgqueue("jobs", "list", "--json").json == []
    assert pgqueue("erase", "--arg", "email=a@b", "--yes").out == "Nothing was removed.\n"


def test_whom_to_erase_is_to_be_said(pgqueue: Command) -> None:
    assert pgqueue("erase", "--yes").code == 2
    for wrong in ("customer", "=42", "customer="):
        assert pgqueue("erase", "--label", wrong, "--yes").code == 2
    assert pgqueue("erase", "--arg", "a..b=1", "--yes").code == 2
    assert pgqueue("erase", "--arg", "a=1", "--begin-at", "nowhere", "--yes").code == 2
