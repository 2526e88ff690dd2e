"""Requests that act: the form of an action, and the act itself, after which the browser is sent back with a notice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pgqueue.acting import Actor
from pgqueue.dashboard.actions.action import Action, Doing, Done, Shown
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn, Reads, seen
from pgqueue.dashboard.fields import REASON, Field
from pgqueue.dashboard.forms import BadForm, Sent, sent
from pgqueue.dashboard.links import Addresses
from pgqueue.dashboard.offers import refusal
from pgqueue.dashboard.pages.page import Missing
from pgqueue.dashboard.rendering import Renderer
from pgqueue.dashboard.seals import Seals
from pgqueue.dashboard.writing import written
from pgqueue.errors import JobNotFound, KeyTaken, PgqueueError, QueueFull, TargetNotAllowed, UsageError
from pgqueue.redaction import Redaction
from pgqueue.store import execute, secrecy

TOKEN = "token"
# In addresses: of actions, and what is said after one.
ACT, SAID = "/act/{on}/{name}", "_said"
OLD = "This form is too old, or not one of yours. Nothing was done: look at it again, and send it once more."


class Forbidden(PgqueueError):
    """The user may not."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said of an action on the page after it."""

    text: str
    done: bool


class Acts:
    """Answers the addresses of actions."""

    def __init__(
        self,
        reads: Reads,
        primary: Reads,
        renderer: Renderer,
        seals: Seals,
        redaction: Redaction,
        wake: Callable[[], None],
    ) -> None:
        self._reads, self._primary, self._renderer, self._wake = reads, primary, renderer, wake
        self._seals, self._redaction = seals, redaction

    async def answer(self, action: Action, request: Request, here: Addresses, common: Mapping[str, Any]) -> Response:
        """The form of an action, or its act. Raises our own errors."""
        user: User = request.scope["pgqueue.user"]
        if (why := refusal(user, action)) is not None:
            raise Forbidden(why)
        key = request.query_params.get("of", "")
        if not key or len(key) > action.on.longest or "\0" in key:
            raise Missing("the address names nothing")
        known = await self._reads.ask(self._known)
        if action.refuses is not None and (why := action.refuses(key, user, known)) is not None:
            raise Forbidden(why)
        form = _Form(action, key, user, known, here, common)
        if request.method != "POST":
            doing = form.doing(await self._reads.ask(lambda conn: seen(conn, lambda conn: form.found(conn))), {})
            return self._shown(form, doing, form.at_first(doing))
        try:
            fields = await sent(request)
        except BadForm as error:
            return HTMLResponse(f"{error}\n", error.status, media_type="text/plain")
        return await self._act(form, fields)

    def notice(self, request: Request) -> Notice | None:
        """What the address says was done, if it was this dashboard that wrote it there."""
        text = self._seals.opened(request.scope["pgqueue.user"], request.query_params.get(SAID, ""))
        return None if text is None else Notice(**json.loads(text))

    def _known(self, conn: Conn) -> Redaction:
        return seen(conn, lambda conn: self._redaction.knowing(execute(conn, secrecy.every())))

    async def _act(self, form: _Form, fields: Sent) -> Response:
        if not self._seals.is_token(form.user, "".join(fields.get(TOKEN, ()))):
            return await self._again(form, fields, OLD, 403)
        try:
            values = {field.name: field.value(fields.get(field.name, ())) for field in form.fields}
        except UsageError as error:
            return await self._again(form, fields, str(error), 422)

        stood = _stood(fields)

        def act(conn: Conn) -> Done | Shown:
            return form.action.act(conn, form.doing(form.found(conn), values, stood))

        try:
            done = await self._primary.do(lambda conn: written(conn, act))
        except UsageError as error:
            return await self._again(form, fields, str(error), 422)
        except (JobNotFound, QueueFull, TargetNotAllowed, KeyTaken) as error:
            done = Done(str(error), False)
        if isinstance(done, Shown):
            return self._page(form, done.template, {"thing_key": form.key, **done.values}, 200)
        if done.wakes:
            self._wake()
        return self._back(form, done)

    def _back(self, form: _Form, done: Done) -> Response:
        page, params = done.to or form.action.on.page(form.key)
        said = self._seals.sealed(form.user, json.dumps({"text": done.said, "done": done.done}))
        return RedirectResponse(form.here.page(page, **{**params, SAID: said}), 303)

    async def _again(self, form: _Form, fields: Sent, said: str, status: int) -> Response:
        """The form as it was sent, with what was wrong: nothing that was typed is lost."""
        thing = await self._reads.ask(lambda conn: seen(conn, lambda conn: form.found(conn)))
        doing = form.doing(thing, {})
        first = form.at_first(doing)
        stands = {name: first[name] if form.is_hidden(name) else fields.get(name) or [""] for name in first}
        return self._shown(form, doing, stands, said, status)

    def _shown(
        self, form: _Form, doing: Doing, stands: Mapping[str, list[str]], wrong: str | None = None, status: int = 200
    ) -> Response:
        asks = form.action.asks
        values = {
            "thing": doing.thing,
            "action": form.action,
            "fields": form.fields,
            "stands": stands,
            "stood": json.dumps({name: now[0] for name, now in form.at_first(doing, short=True).items()}),
            "asks": None if asks is None else asks(doing.thing),
            "called": form.action.on.called(doing.thing),
            "address": form.here.page("act", on=form.action.on.name, name=form.action.name, of=form.key),
            "wrong": wrong,
        }
        return self._page(form, "actions/form.html", values, status)

    def _page(self, form: _Form, template: str, values: Mapping[str, Any], status: int) -> Response:
        page, params = form.action.on.page(form.key)
        everything = {
            **form.common,
            "user": form.user,
            "token": self._seals.token(form.user),
            "place": self._reads.place,
            "page": None,
            "has_live": False,
            "back": form.here.page(page, **params),
            **values,
        }
        return HTMLResponse(self._renderer.other(template, form.here, everything).encode(errors="replace"), status)


def _stood(fields: Sent) -> dict[str, str]:
    """What stood in a form when it was opened, as it says itself."""
    try:
        told = json.loads(fields.get("stood", ["{}"])[0])
    except (ValueError, RecursionError):
        return {}
    return {key: each for key, each in told.items() if isinstance(each, str)} if isinstance(told, dict) else {}


@dataclass(frozen=True, slots=True)
class _Form:
    """An action on one thing, for one user."""

    action: Action
    key: str
    user: User
    redaction: Redaction
    here: Addresses
    common: Mapping[str, Any]

    @property
    def fields(self) -> list[Field]:
        return [*self.action.fields, REASON]

    def found(self, conn: Conn) -> Any:
        return self.action.on.find(conn, self.user, self.key)

    def doing(self, thing: Any, values: Mapping[str, Any], stood: Mapping[str, str] | None = None) -> Doing:
        actor = Actor(self.user.name, self.user.via, values.get("reason"))
        return Doing(thing, self.user, actor, self.redaction, values, stood or {})

    def at_first(self, doing: Doing, *, short: bool = False) -> dict[str, list[str]]:
        chosen = [field for field in self.fields if not short or field.kind in ("text", "choice")]
        return {field.name: [field.now(doing)] for field in chosen}

    def is_hidden(self, name: str) -> bool:
        return any(field.name == name and field.kind == "hidden" for field in self.action.fields)
