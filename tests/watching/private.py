"""Tasks whose arguments are nobody's business, and that tell of them wherever they can."""

from __future__ import annotations

import logging
from typing import Any

from pgqueue.tasks import task

log = logging.getLogger("shop.private")


class Declined(Exception):
    """Says what it was given in its own way."""

    def __init__(self, payment: dict[str, Any]) -> None:
        super().__init__(payment)
        self.add_note(f"tried {payment['iban']}")


def tell(email: str, payment: dict[str, Any], pin: int) -> None:
    """Log all of it, in every way."""
    log.info("paying for %s by %r", email, payment, extra={"iban": payment["iban"], "pin": pin})
    try:
        raise KeyError(email)
    except KeyError:
        log.exception("no customer %s", email)


@task(sensitive=("email", "args.*.iban", "pin"), max_attempts=1)
def pay(email: str, payment: dict[str, Any], pin: int, order: str) -> None:
    tell(email, payment, pin)
    iban = payment.pop("iban")
    try:
        raise LookupError(f"no {email!r} with {pin}")
    except LookupError as error:
        raise Declined({"iban": iban, "rest": payment}) from error


@task(sensitive=("email", "args.*.iban", "pin"), max_attempts=1)
async def pay_async(email: str, payment: dict[str, Any], pin: int, order: str) -> None:
    tell(email, payment, pin)
    raise Declined(payment) from LookupError(f"no {email!r} with {pin}")


@task(sensitive=True, store_result=True)
def echo(*words: str, **more: Any) -> Any:
    log.warning("said %s %s", words, more)
    return {"words": list(words), "more": more, "said": " ".join(words)}


@task(sensitive=("letter",), max_attempts=1)
def read_out(letter: str) -> None:
    raise ValueError(f"cannot read {letter}")


@task(max_attempts=1)
def open_to_all(email: str) -> None:
    raise ValueError(f"no such customer: {email}")
