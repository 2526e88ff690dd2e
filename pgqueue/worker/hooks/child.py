"""The process that calls the hooks of a worker whose jobs run in children: `python -m pgqueue.worker.hooks.child FD`.

It is told [START, settings, sys.path, worker's pid], answers READY or [BROKEN, why]; then it is told [name, event] and
answers a fault or null for each hook as it ends, and [END].
"""

from __future__ import annotations

import sys
from typing import Any

from pgqueue import encryption
from pgqueue.context import be_at_home_in
from pgqueue.description import MESSAGE_LIMIT, storable
from pgqueue.errors import AppError
from pgqueue.signing import sign_as_told
from pgqueue.tasks import import_modules
from pgqueue.worker import task_log
from pgqueue.worker.executors.process import messages, wire
from pgqueue.worker.executors.process.channel import Channel
from pgqueue.worker.executors.process.kinship import as_child, die_with
from pgqueue.worker.hooks.calling import call, hooks_of
from pgqueue.worker.hooks.wire import told_from_wire

READY, BROKEN, CALLED, END = "ready", "broken", "called", "end"


def run(channel: Channel) -> None:
    """Import the app, then call hooks as long as the worker is there."""
    unpacker = messages.Unpacker()

    def heard() -> list[Any]:
        while True:
            if found := unpacker.feed(channel.receive()):
                # One is sent when the one before is answered.
                return found[0]

    def say(*message: Any) -> None:
        channel.send(messages.pack(*message))

    _, given, path, parent = heard()
    settings = wire.settings_from_wire(given)
    die_with(parent)
    be_at_home_in(settings.home)
    encryption.from_wire(settings.encryption)
    sign_as_told(settings.signing_keys)
    sys.path[:] = path
    try:
        import_modules(settings.modules)
        task_log.begin(settings.log)
    except BaseException as error:  # The importing module's own.
        said = str(error) if isinstance(error, AppError) else f"cannot import {settings.modules}: {error!r}"
        say(BROKEN, storable(said, MESSAGE_LIMIT))
        return
    say(READY)
    while True:
        name, event = heard()
        told = told_from_wire(event)
        for hook in hooks_of(name, told):
            fault = call(name, hook, told)
            say(CALLED, None if fault is None else storable(fault, MESSAGE_LIMIT))
        say(END)


if __name__ == "__main__":
    as_child(run)
