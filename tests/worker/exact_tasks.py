"""An app that sets decimals up while it is imported."""

from __future__ import annotations

import decimal

from pgqueue.tasks import task

decimal.getcontext().prec = 50


@task(store_result=True)
def digits() -> int:
    found = decimal.getcontext().prec
    decimal.getcontext().prec = 7
    return found
