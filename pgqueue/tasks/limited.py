"""What a task says about how many of its jobs may run at once, or start in a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pgqueue.errors import OptionError
from pgqueue.options import check_choice, check_flag, check_integer, check_name
from pgqueue.rate import MOST_STARTS, rate_of
from pgqueue.store.limits import MOST, MOST_WEIGHT

OnDead = Literal["go on", "stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limit that a task declares: of its own, or with `limit_key` of each of its keys."""

    limit_key: str | None = None
    concurrency: int | None = None
    rate: str | None = None
    burst: int | None = None
    weight: int | None = None
    ordered: bool | None = None
    on_dead: OnDead | None = None

    def __post_init__(self) -> None:
        check_name("limit_key", self.limit_key)
        check_integer("concurrency", self.concurrency, 1, MOST)
        rate = None if self.rate is None else rate_of(self.rate)
        check_integer("burst", self.burst, 1, MOST_STARTS if rate is None else rate.starts)
        check_integer("weight", self.weight, 1, MOST_WEIGHT)
        check_flag("ordered", self.ordered)
        check_choice("on_dead", self.on_dead, ("go on", "stop"))
        if self.burst is not None and rate is None:
            raise OptionError(f"burst {self.burst} has no rate to be of; give a rate, too, such as rate='100/m'")
        if self.limit_key is None:
            for option in ("weight", "ordered", "on_dead"):
                if getattr(self, option) is not None:
                    raise OptionError(f"{option} is of keys; give a limit_key, too, such as 'tenant:{{tenant_id}}'")
        if self.ordered and self.concurrency not in (None, 1):
            raise OptionError(f"ordered needs concurrency 1, got {self.concurrency}; leave concurrency out")
        if self.on_dead == "stop" and not self.ordered:
            raise OptionError("on_dead='stop' is of ordered keys; say ordered=True, too")

    def said(self, target: str, rule: str | None) -> dict[str, Any] | None:
        """The limit by the names of its columns, of keys if there is a `rule` for them; None if it says nothing."""
        rate = None if self.rate is None else rate_of(self.rate)
        values = {
            "concurrency": 1 if self.ordered else self.concurrency,
            "starts": rate and rate.starts,
            "period": rate and rate.period,
            "burst": self.burst,
            "weight": self.weight,
            "ordered": self.ordered,
            "on_dead": self.on_dead,
        }
        said = {name: value for name, value in values.items() if value is not None}
        if not said:
            return None
        return {"scope": "task" if rule is None else "key", "name": target if rule is None else rule, **said}


LIMIT_NAMES = frozenset(Limits.__dataclass_fields__)
