"""Tasks whose code is in another language: a program that a worker starts, or a server that it posts to."""

from pgqueue.polyglot.command import command_task
from pgqueue.polyglot.posting import http_task

__all__ = ["command_task", "http_task"]
