"""What stands in a job's arguments for what is known only when another job has ended."""

from __future__ import annotations

from typing import Any, NoReturn

from pgqueue.errors import UsageError


class Placeholder:
    """Stands for a value that is filled in when the job's turn comes: an argument of its own, never a part of one."""

    __slots__ = ("_said",)

    def __init__(self, said: str) -> None:
        self._said = said

    def __repr__(self) -> str:
        return f"<{self._said}>"

    def __str__(self) -> str:
        self._refuse()

    def __format__(self, spec: str) -> str:
        self._refuse()

    def __bool__(self) -> bool:
        self._refuse()

    def __iter__(self) -> Any:
        self._refuse()

    def __getitem__(self, key: object) -> Any:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UsageError(
            f"{self._said} is known only when that has ended; pass it as an argument of its own, and look into it in"
            " the task"
        )


class NodeResult(Placeholder):
    """What a node's job returned; of a group the list of what its members returned, in their order."""

    __slots__ = ("node",)

    def __init__(self, node: Any, name: str) -> None:
        super().__init__(f"the result of {name!r}")
        self.node = node


class NodeId(Placeholder):
    """The id of a node's job, which is known when the workflow is enqueued."""

    __slots__ = ("node",)

    def __init__(self, node: Any, name: str) -> None:
        super().__init__(f"the id of {name!r}")
        self.node = node


# In a chain, what the part in front returned. Typed as anything: it stands for whatever the task takes.
previous: Any = Placeholder("the result of what is in front")
# In what follows a group, the list of what its members returned.
results: Any = Placeholder("the results of the group")
