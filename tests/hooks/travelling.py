"""A context variable that travels, and tasks that tell what it is; imported in tests that forget it again."""

from __future__ import annotations

from contextvars import ContextVar

from pgqueue.tasks import task

user: ContextVar[int] = ContextVar("user")


@task(store_result=True)
def who() -> int:
    return user.get(0)


@task(store_result=True)
async def who_async() -> int:
    return user.get(0)
