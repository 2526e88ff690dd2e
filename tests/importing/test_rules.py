"""What a task's name there means here."""

from __future__ import annotations

import pytest

from pgqueue.errors import OptionError
from pgqueue.importing import SOURCES
from pgqueue.importing.rules import Rule, rule_of, rules_in, target_for


@pytest.mark.parametrize(
    ("rules", "name", "target"),
    [
        ([], "shop.mail.send", "shop.mail:send"),
        ([], "send", None),
        (["send = shop.tasks:send"], "send", "shop.tasks:send"),
        (["shop.*=shop.tasks:*"], "shop.send", "shop.tasks:send"),
        (["shop.*=shop.tasks:*"], "shop.mail.send", "shop.tasks:mail.send"),
        (["*.send=shop.*:send"], "mail.send", "shop.mail:send"),
        (["old.*=new:one"], "old.anything", "new:one"),
        (["old.*=new:*", "old.a=other:a"], "old.a", "new:a"),
        (["a*a=b:*"], "a", None),
        (["a*a=b:*"], "aa", "b:"),
    ],
)
def test_the_first_rule_that_is_about_a_name_says_what_it_means(
    rules: list[str], name: str, target: str | None
) -> None:
    assert target_for(name, [rule_of(text) for text in rules]) == target


def test_a_file_has_a_rule_a_line() -> None:
    assert rules_in("# old = new\n\n send=shop.tasks:send # mail\nold.* = new:*\n") == [
        Rule("send", "shop.tasks:send"),
        Rule("old.*", "new:*"),
    ]
    with pytest.raises(OptionError, match="line 2: a rule reads OLD=NEW"):
        rules_in("a=b:c\nsend\n")


@pytest.mark.parametrize("text", ["", "=", "a=", "=b", "a", "*a*=b:*", "a=b:*"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="a rule"):
        rule_of(text)


def test_a_priority_of_djangos_is_what_our_backend_would_have_made_of_it() -> None:
    from pgqueue.contrib.django import priorities

    there = SOURCES["django-tasks-db"]
    assert [there.level(n) for n in there.levels] == [priorities.of(n) for n in there.levels]
