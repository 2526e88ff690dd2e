"""`pgqueue queues set|unset|show` and `pgqueue routes`, as people type them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import pgqueue as package
from tests.cli.conftest import SHOP, Command


@pytest.fixture
def routes() -> Iterator[None]:
    package.set_routes({f"{SHOP}:*": "shop"})
    yield
    package.set_routes({})


def test_a_queue_is_told_what_holds_of_its_jobs_and_says_it(pgqueue: Command) -> None:
    ran = pgqueue("queues", "set", "mail", "web", "--timeout", "90", "--max-attempts", 5, "--priority", 7)
    assert ran.out == "".join(f"{name}: timeout 90 s, max-attempts 5, priority 7\n" for name in ("mail", "web"))
    assert pgqueue("queues", "set", "mail", "--ageing", "5m").out.endswith("priority 7, ageing 5 min\n")
    mail = pgqueue("queues", "show", "mail", "--json").json
    assert [mail[name] for name in ("queue", "timeout", "max_attempts", "priority", "ageing")] == [
        "mail", 90.0, 5, 7, 300.0
    ]  # fmt: skip
    assert "settings   timeout 90 s" in pgqueue("queues", "show", "mail").out
    assert "priority 7" in pgqueue("queues", "list").out
    assert pgqueue("queues", "unset", "mail", "max-attempts", "timeout").out == "mail: priority 7, ageing 5 min\n"
    assert pgqueue("queues", "unset", "mail").out == "mail: says nothing\n"


def test_a_queue_is_told_which_targets_it_takes_and_says_it(pgqueue: Command) -> None:
    ran = pgqueue("queues", "set", "mail", "--allow", "shop.mail:*", "--allow", "shop.tasks:send", "--priority", "7")
    assert ran.out == "mail: priority 7, allow shop.mail:* shop.tasks:send\n"
    refused = pgqueue("enqueue", "shop.tasks:charge", "--queue", "mail")
    assert refused.code == 1
    assert "the queue 'mail' takes no job of shop.tasks:charge: it allows shop.mail:*, shop.tasks:send" in " ".join(
        refused.err.split()
    )
    assert pgqueue("queues", "list", "--json").json[0]["allow"] == ["shop.mail:*", "shop.tasks:send"]
    assert "allow shop.mail:*" in pgqueue("queues", "show", "mail").out
    assert "queues allow shop.mail:* shop.tasks:send" in pgqueue("audit", "list").out
    assert pgqueue("queues", "set", "mail", "--allow-any").out == "mail: priority 7\n"
    assert pgqueue("queues", "set", "mail", "--allow", "a:*").out == "mail: priority 7, allow a:*\n"
    assert pgqueue("queues", "unset", "mail").out == "mail: says nothing\n"
    assert pgqueue("enqueue", "shop.tasks:charge", "--queue", "mail").code == 0


@pytest.mark.parametrize(
    ("words", "code", "fault"),
    [
        (["set", "mail", "--allow", "send"], 2, "what a queue allows is a target"),
        (["set", "mail", "--allow", "a:*", "--allow-any"], 2, "is the opposite of --allow"),
        (["set", "mail"], 2, "nothing is said of queue 'mail'"),
        (["set", "mail", "--timeout", "0"], 2, "timeout must be more than 0"),
        (["set", "mail", "--priority", "10"], 2, "priority"),
        (["set", "", "--priority", "1"], 2, "queue must be a text of 1 to 500 characters"),
        (["unset", "mail", "colour"], 2, "must be one of timeout, max_attempts, priority, ageing, allow, got 'colour'"),
        (["show", "nowhere"], 4, "no job was found in nowhere, and nothing is said of it"),
    ],
)
def test_what_no_queue_can_say_is_refused(pgqueue: Command, words: list[str], code: int, fault: str) -> None:
    ran = pgqueue("queues", *words)
    assert ran.code == code
    assert fault in " ".join(ran.err.split())


@pytest.mark.usefixtures("routes")
def test_routes_are_set_listed_tried_and_removed(pgqueue: Command) -> None:
    assert pgqueue("routes", "set", "video.*", "media").out == "video.* goes to media\n"
    assert pgqueue("routes", "list", "--json").json == [
        {"pattern": f"{SHOP}:*", "queue": "shop", "source": "code"},
        {"pattern": "video.*", "queue": "media", "source": "database"},
    ]
    tried = {target: pgqueue("routes", "test", target).out for target in ("video.cut:run", "a:b", f"{SHOP}:count")}
    assert tried == {
        "video.cut:run": "video.cut:run waits in media: the route video.* in the database\n",
        "a:b": "a:b waits in default: no route is of it\n",
        f"{SHOP}:count": f"{SHOP}:count waits in shop: the route {SHOP}:* in code\n",
    }
    mail = pgqueue("routes", "test", f"{SHOP}:remind", "-A", SHOP, "--json").json
    assert (mail["queue"], mail["why"]) == ("mail", "its task says so")
    assert pgqueue("routes", "remove", "video.*").code == 0
    assert pgqueue("routes", "remove", "video.*").code == 4
    assert pgqueue("routes", "set", "video", "media").code == 2


@pytest.mark.usefixtures("routes")
def test_a_job_of_the_shell_is_routed(pgqueue: Command) -> None:
    job_id = pgqueue("enqueue", f"{SHOP}:count", "[1]").out.strip()
    assert pgqueue("jobs", "show", job_id, "--json").json["queue"] == "shop"
