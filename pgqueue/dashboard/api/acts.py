"""Actions by POST: those for which pages have buttons, from the same list, with what is filled in as JSON."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from pgqueue.acting import Actor
from pgqueue.dashboard.actions import ACTIONS
from pgqueue.dashboard.actions.action import Action, Doing, Done, Shown
from pgqueue.dashboard.api.bodies import sent
from pgqueue.dashboard.api.forms import FormAnswer, form_answer
from pgqueue.dashboard.api.parameters import Parameter, checked
from pgqueue.dashboard.api.problems import Problem, missing, wrong
from pgqueue.dashboard.api.route import BASE
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn, Reads, seen
from pgqueue.dashboard.fields import REASON, Field
from pgqueue.dashboard.links import Addresses
from pgqueue.dashboard.offers import refusal
from pgqueue.dashboard.pages import PAGES
from pgqueue.dashboard.writing import Unsure
from pgqueue.dashboard.writing import written as in_transaction
from pgqueue.errors import JobNotFound, KeyTaken, QueueFull, TargetNotAllowed, UsageError
from pgqueue.exact_json import written
from pgqueue.redaction import Redaction
from pgqueue.store import execute, secrecy

_ADDRESSES = Addresses(BASE, {page.name: "/overview" if page.path == "/" else page.path for page in PAGES}, {})


@dataclass(frozen=True, slots=True)
class ActAnswer:
    """What became of an action that was done: what is to be said of it.

    `to` is where it can be looked at below the dashboard; `shown` is what an action shows whose work that is.
    """

    said: str
    to: str | None
    shown: Mapping[str, Any] | None


def action_of(path: str) -> Action | None:
    """The action that an address below the API does."""
    return next((each for each in ACTIONS if path == f"{BASE}{each.path}"), None)


def of(action: Action) -> Parameter:
    """What an action is done on, as its address says it."""
    says = "on what: its id or name; of bulk actions a search; `all` where the action is on no single thing"
    return Parameter("of", says, {"type": "string", "maxLength": action.on.longest}, required=True)


class Acts:
    """Does what tokens may do, on connections that may write."""

    def __init__(self, reads: Reads, primary: Reads, redaction: Redaction, wake: Callable[[], None]) -> None:
        self._reads, self._primary, self._redaction, self._wake = reads, primary, redaction, wake

    async def form(self, action: Action, request: Request, user: User) -> FormAnswer:
        """What an action would be done with. Raises Problem, and our own errors."""
        key = self._key(action, request, user)
        thing = await self._reads.ask(lambda conn: seen(conn, lambda conn: action.on.find(conn, user, key)))
        return form_answer(action, self._at_first(thing, user, await self._known()), [*action.fields, REASON])

    async def answer(self, action: Action, request: Request, user: User) -> ActAnswer:
        """Do an action. Raises Problem, and our own errors."""
        key = self._key(action, request, user)
        fields = [*action.fields, REASON]
        given = _typed(fields, await sent(request))
        known = await self._known()

        def act(conn: Conn) -> Done | Shown:
            return action.act(conn, self._doing(fields, given, action.on.find(conn, user, key), user, known))

        try:
            done = await self._primary.do(lambda conn: in_transaction(conn, act))
        except UsageError as error:
            raise Problem(422, str(error), "send it as the description of the action has it") from error
        except JobNotFound as error:
            raise missing(str(error)) from error
        except (QueueFull, TargetNotAllowed, KeyTaken) as error:
            raise Problem(409, str(error), "look at what is there") from error
        except Unsure as error:
            raise Problem(500, str(error), "look before you ask again") from error
        if isinstance(done, Shown):
            return ActAnswer("", None, done.values)
        if not done.done:
            raise Problem(409, done.said, "look at it as it is now")
        if done.wakes:
            self._wake()
        page, params = done.to or action.on.page(key)
        return ActAnswer(done.said, _ADDRESSES.page(page, **params), None)

    async def _known(self) -> Redaction:
        """With what tasks call sensitive."""
        return await self._reads.ask(
            lambda conn: seen(conn, lambda conn: self._redaction.knowing(execute(conn, secrecy.every())))
        )

    def _key(self, action: Action, request: Request, user: User) -> str:
        if (why := refusal(user, action)) is not None:
            raise Problem(403, why, "ask with a token that may")
        key = checked([of(action)], request.query_params)["of"]
        if action.refuses is not None and (why := action.refuses(key, user, self._redaction)) is not None:
            raise Problem(403, why, "ask for what this token may know of")
        return key

    def _at_first(self, thing: Any, user: User, known: Redaction) -> Doing:
        return Doing(thing, user, Actor(user.name, user.via), known)

    def _doing(
        self, fields: list[Field], given: Mapping[str, list[str]], thing: Any, user: User, known: Redaction
    ) -> Doing:
        """The action as if its form had been opened now, and what was given filled in: the rest stays as it stands."""
        at_first = self._at_first(thing, user, known)
        stood = {field.name: field.now(at_first) for field in fields}
        now = {name: [] if field.kind == "many" else [stood[name]] for name, field in _by_name(fields).items()}
        values = {field.name: field.value(given.get(field.name, now[field.name])) for field in fields}
        actor = Actor(user.name, user.via, values["reason"])
        return Doing(thing, user, actor, known, values, stood)


def _typed(fields: list[Field], given: Mapping[str, Any]) -> dict[str, list[str]]:
    """What was given, as somebody would have typed it. Raises Problem."""
    known = _by_name(fields)
    for name in given:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            meant = f"; did you mean {nearest[0]}?" if nearest else f"; there are {', '.join(known)}"
            raise wrong(f"the action has no field {name[:80]!r}{meant}", "leave it out")
    for field in fields:
        if is_needed(field) and given.get(field.name) is None:
            raise Problem(422, f"{field.name} is missing: {field.hint or field.label}", f'send {{"{field.name}": ...}}')
    try:
        return {name: _text(known[name], value) for name, value in given.items()}
    except RecursionError:
        raise wrong("the body nests too deep", "flatten it") from None


def is_needed(field: Field) -> bool:
    """Whether a field must be sent: what is hidden in a form stands for itself."""
    return field.required and field.kind != "hidden"


def _by_name(fields: list[Field]) -> dict[str, Field]:
    return {field.name: field for field in fields}


def _text(field: Field, value: Any) -> list[str]:
    if value is None:
        return [""]
    if field.kind == "json":
        return [written(value)]
    if field.kind == "many" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [str(each) for each in value]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, str) and field.kind != "many":
        return [str(value)]
    raise Problem(
        422, f"{field.name} is {'a list of texts' if field.kind == 'many' else 'a text or a number'}", field.hint
    )
