"""The workflow: nodes with names, each of which may wait for others and use what they returned."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, overload

from pgqueue.errors import OptionError, UsageError
from pgqueue.job import NewJob, Target
from pgqueue.options import Duration, check_choice, check_flag, check_name
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.tasks import Task
from pgqueue.vocabulary import advised
from pgqueue.workflows.arguments import placeholders_of
from pgqueue.workflows.branches import Branches, branches_of
from pgqueue.workflows.compiled import Compiled
from pgqueue.workflows.ordering import in_order
from pgqueue.workflows.parts import Chain, Group, Link, Part, head_of, short_name
from pgqueue.workflows.placeholders import NodeId, NodeResult
from pgqueue.workflows.plan import Plan
from pgqueue.workflows.planned import Bound, Event, Exit, Given, OnFailure
from pgqueue.workflows.sending import send
from pgqueue.workflows.started import Started


class Node:
    """A node of a workflow: what others wait for, and whose result they use."""

    def __init__(self, flow: Workflow, name: str, part: Link, after: tuple[Node | str, ...]) -> None:
        self._flow = flow
        self.name = name
        self.part = part
        self.after = after
        self.allows_failure = self.is_optional = False
        self.branches: Branches = []

    def __repr__(self) -> str:
        return f"<Node {self.name}>"

    @property
    def result(self) -> Any:
        """What its job returned, as an argument of another node's job, which waits for it then."""
        return NodeResult(self, self.name)

    @property
    def id(self) -> Any:
        """The id of its job, as an argument; it is waited for only with after=."""
        return NodeId(self, self.name)

    def on_error(
        self, branches: Any, *args: Any, default: NewJob | Task[..., Any] | None = None, **kwargs: Any
    ) -> Node:
        """What runs where its job is dead: as `except` does, so that where that succeeds the workflow goes on.

        One job or task for any error, or `{TimeoutError: slow_path.job(42), ValueError: repair.job(42)}` and a
        `default`. A task is called with `args`, if there are any, else as the job that failed. Kinds of an error count,
        too, as far as this process has imported them. Who uses the result of this node gets that of the branch.
        """
        if not isinstance(self.part, NewJob):
            raise UsageError(f"{self.name}: on_error is of a single job; give those of a group an on_error each")
        if self.branches:
            raise UsageError(f"{self.name} has its branches already; say all of them in one on_error")
        if args or kwargs:
            if not isinstance(branches, Task):
                raise UsageError(f"{self.name}: arguments go with a task: on_error(task, *args), got {branches!r:.80}")
            branches = branches.job(*args, **kwargs)
        self.branches = [
            (errors, job if isinstance(job, NewJob) else NewJob(job, self.part.args))
            for errors, job in branches_of(branches, default)
        ]
        return self

    def uses(self) -> tuple[Node, ...]:
        """The nodes whose results it uses. Raises UsageError for those of another workflow."""
        jobs = [self.part, *(job for _, job in self.branches)]
        return tuple(self._flow.node(stands_for.node) for job in jobs for stands_for in _results_in(job))


@advised
class Workflow(Part):
    """A graph of jobs, enqueued as a whole: `flow = Workflow("order 42")`, `flow.add(...)`, `flow.enqueue(conn)`.

    A live workflow of the same `unique_key` is answered in place of a second one. After `deadline` (seconds or a
    timedelta) what has not ended is cancelled. `limit_key` is for its jobs that have none. `on_failure`: what waits for
    a job that is dead is held ("hold"), so that a retry goes on there, or cancelled ("cancel").
    """

    def __init__(
        self,
        name: str = "workflow",
        *,
        unique_key: str | None = None,
        deadline: Duration | None = None,
        labels: Mapping[str, str] | None = None,
        limit_key: str | None = None,
        on_failure: OnFailure = "hold",
    ) -> None:
        head_of(name, unique_key, deadline, labels)
        check_name("limit_key", limit_key)
        check_choice("on_failure", on_failure, ("hold", "cancel"))
        self.name = name
        self._whole = (unique_key, deadline, labels)
        self._limit_key = limit_key
        self._policy: OnFailure = on_failure
        self._nodes: dict[str, Node] = {}
        self._afters: dict[tuple[Node | str, ...], tuple[Node | str, ...]] = {}
        # How many nodes have been called by the name of their task.
        self._named_so: dict[str, int] = {}
        self._callbacks: list[tuple[str, NewJob]] = []

    def __repr__(self) -> str:
        return f"<Workflow {self.name}: {len(self._nodes)} nodes>"

    def add(
        self,
        what: Target | Link,
        /,
        *args: Any,
        name: str | None = None,
        after: Node | str | Sequence[Node | str] = (),
        allow_failure: bool = False,
        optional: bool = False,
        on_error: Any = None,
        **kwargs: Any,
    ) -> Node:
        """Add a node: a task with its arguments, a job, a chain, a group, or another workflow.

        It begins when the nodes have succeeded whose `result` it uses and those that it is `after`; with
        `allow_failure` when they have ended, however. The whole goes well without an `optional` one, and whoever waits
        for it goes on. `on_error` is as of Node.on_error(). Without a `name` it is called as its task.
        Raises UsageError; cycles and unknown names are found by enqueue().
        """
        part = _part(what, args, kwargs)
        check_flag("allow_failure", allow_failure)
        check_flag("optional", optional)
        check_name("name", name)
        node = Node(self, self._named(name, part), part, self._after(after))
        node.allows_failure, node.is_optional = allow_failure, optional
        if on_error is not None:
            node.on_error(on_error)
        self._nodes[node.name] = node
        return node

    def on_success(self, task: Target | NewJob, /, *args: Any, **kwargs: Any) -> None:
        """Have a job run once all nodes have succeeded: once, also if there are none."""
        self._callbacks.append(("success", _callback(task, args, kwargs)))

    def on_failure(self, task: Target | NewJob, /, *args: Any, **kwargs: Any) -> None:
        """Have a job run once nothing more runs, and something failed: the first time, also if a retry mends it."""
        self._callbacks.append(("failure", _callback(task, args, kwargs)))

    def on_end(self, task: Target | NewJob, /, *args: Any, **kwargs: Any) -> None:
        """Have a job run once nothing more runs, however it ended: the first time, also if a retry goes on."""
        self._callbacks.append(("end", _callback(task, args, kwargs)))

    @overload
    def enqueue(self, conn: SyncConnection, /) -> Started: ...
    @overload
    def enqueue(self, conn: AsyncConnection, /) -> Awaitable[Started]: ...
    def enqueue(self, conn: AnyConnection, /) -> Started | Awaitable[Started]:
        """Enqueue it in the transaction open on `conn`: all of it exists if and only if that transaction commits.

        Each call enqueues it anew, unless it has a unique_key. Raises UsageError for cycles, unknown names, results of
        tasks that store none: then nothing was sent. O(jobs log n).
        """
        head = head_of(self.name, *self._whole)
        return send(conn, Compiled(self.plan(), head, self._policy, self._limit_key))

    def node(self, which: Node | str) -> Node:
        """The node of this name. Raises UsageError."""
        found = self._nodes.get(which.name if isinstance(which, Node) else which)
        if found is None or (isinstance(which, Node) and found is not which):
            known = ", ".join(self._nodes) or "none"
            raise UsageError(f"workflow {self.name!r} has no node {which!r:.80}; its nodes are {known:.200}")
        return found

    def planned(self, plan: Plan, name: str, needs: tuple[Event, ...], bound: Bound) -> Exit:
        """Its nodes, those that wait for others behind them."""
        waits = self._waits()
        # Nodes that wait for the same share what they wait for.
        shared: dict[tuple[bool, int], tuple[Event, ...]] = {}
        with plan.scope(needs) as scope:
            for node in in_order(self.name, waits):
                key = node.allows_failure, id(waits[node])
                if key not in shared:
                    shared[key] = _events(plan, node.allows_failure, waits[node]) or needs
                self._plan_node(plan, node, f"{name}.{node.name}" if name else node.name, shared[key], bound)
        for what, job in self._callbacks:
            plan.callback(scope, what, job, f"{name}.on_{what}" if name else f"on_{what}", Bound())
        return plan.exit_of(scope, self._given(plan, waits))

    def _plan_node(self, plan: Plan, node: Node, name: str, needs: tuple[Event, ...], bound: Bound) -> None:
        with plan.optional() if node.is_optional else nullcontext():
            done = plan.exits[node] = plan.part(node.part, name, needs, bound)
            for errors, job in node.branches:
                assert done.only is not None
                assert isinstance(job, NewJob)
                plan.branch(done.only, job, f"{name}.{short_name(job)}", errors)

    def _waits(self) -> dict[Node, tuple[Node, ...]]:
        """What each node waits for; the same tuple where it is the same. Raises UsageError."""
        known: dict[tuple[int, tuple[Node, ...]], tuple[Node, ...]] = {}
        found: dict[Node, tuple[Node, ...]] = {}
        for node in self._nodes.values():
            key = id(node.after), node.uses()
            if key not in known:
                known[key] = tuple(dict.fromkeys((*map(self.node, node.after), *key[1])))
            found[node] = known[key]
        return found

    def _given(self, plan: Plan, waits: Mapping[Node, tuple[Node, ...]]) -> Given | None:
        """What it returns: that of its last node, if it has one that nobody waits for."""
        used = {each for in_front in {id(one): one for one in waits.values()}.values() for each in in_front}
        last = [node for node in waits if node not in used]
        return plan.exits[last[0]].given if len(last) == 1 else None

    def _after(self, after: Any) -> tuple[Node | str, ...]:
        """What a node is after: the same tuple for the nodes of a layer."""
        several = tuple(after) if isinstance(after, list | tuple | set) else (after,)
        try:
            return self._afters[several]
        except (KeyError, TypeError):
            for each in several:
                if not isinstance(each, Node | str):
                    raise UsageError(f"after must be nodes or their names, got {each!r:.80}") from None
            return self._afters.setdefault(several, several)

    def _named(self, name: str | None, part: Link) -> str:
        if name is not None:
            if name in self._nodes:
                raise OptionError(f"workflow {self.name!r} has a node {name!r} already; give this one another name")
            return name
        wanted = part.name if isinstance(part, Group | Workflow) and part.name else short_name(part)
        while True:
            number = self._named_so[wanted] = self._named_so.get(wanted, 0) + 1
            if (found := wanted if number == 1 else f"{wanted}-{number}") not in self._nodes:
                return found


def _part(what: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Link:
    if isinstance(what, NewJob | Part):
        if args or kwargs:
            raise UsageError(f"{what!r:.80} has its arguments; add it alone, or add its task with arguments")
        return what
    if isinstance(what, Task):
        return what.job(*args, **kwargs)
    if args and kwargs:
        raise UsageError(f"the arguments of {what!r:.80} are all positional or all by keyword")
    return NewJob(what, kwargs or args or None)


def _callback(task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NewJob:
    job = _part(task, args, kwargs)
    if not isinstance(job, NewJob):
        raise UsageError(f"what is told how a workflow ended is a job, got {task!r:.80}; let the job enqueue the rest")
    return job


def _results_in(part: Any) -> list[NodeResult]:
    """The placeholders in it, as far as it can be looked into before it is enqueued."""
    if isinstance(part, NewJob):
        return [each for each in placeholders_of(part.args) if isinstance(each, NodeResult)]
    if isinstance(part, Chain):
        return [each for one in part.parts for each in _results_in(one)]
    if isinstance(part, Group):
        members = part.members if isinstance(part.members, list | tuple) else ()
        return [each for one in (*members, part.then, part.on_complete, part.on_death) for each in _results_in(one)]
    return []


def _events(plan: Plan, allows_failure: bool, in_front: tuple[Node, ...]) -> tuple[Event, ...]:
    """What is waited for, if it is these nodes."""
    wanted: dict[Event, None] = {}
    for each in in_front:
        exit_ = plan.exits[each]
        wanted |= dict.fromkeys(exit_.end if allows_failure or each.is_optional else exit_.success)
    return tuple(wanted)
