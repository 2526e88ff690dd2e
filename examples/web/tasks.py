"""What the applications have done in the background."""

from __future__ import annotations

import pgqueue


@pgqueue.task(store_result=True, max_attempts=3)
def make_receipt(order_id: int, cents: int) -> dict[str, int]:
    """What an order comes to; prices are with 20 % tax."""
    if cents < 0:
        raise pgqueue.Bury(f"order {order_id} has a negative price")
    return {"order": order_id, "cents": cents, "tax": cents * 20 // 120}
