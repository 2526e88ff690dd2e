"""A channel by a command that the worker's environment names: it gets the message as JSON, and exits with 0."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from dataclasses import dataclass

from pgqueue.alerting.environment import PREFIX, said
from pgqueue.alerting.errors import NotSentError
from pgqueue.alerting.message import Message
from pgqueue.alerting.templates import body_of
from pgqueue.secret_environment import inherited

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Command:
    """How the channel is set: which variable holds the command, split as a shell would; no shell runs it."""

    command_env: str

    def deliver(self, message: Message) -> None:
        """Run it. Raises NotSentError, OptionError."""
        try:
            words = shlex.split(said(self.command_env))
        except ValueError as error:
            raise NotSentError(f"the command cannot be split into words: {error}") from None
        # It may know what is of alerts, and its id; not the passwords that the worker has.
        environment = {name: value for name, value in inherited().items() if not name.startswith((PREFIX, "PGQUEUE_"))}
        try:
            running = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**environment, "PGQUEUE_MESSAGE_ID": message.id},
                start_new_session=True,
            )
        except OSError as error:
            raise NotSentError(f"the command could not be started: {error.strerror}") from None
        try:
            running.communicate(body_of("generic", message), TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            raise NotSentError(f"the command did not end within {TIMEOUT:g} s") from None
        if running.returncode:
            raise NotSentError(f"the command ended with {running.returncode}")
