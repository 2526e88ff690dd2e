"""The fixtures of the worker tests serve here, too."""

from tests.worker.conftest import desk, spawn, start

__all__ = ["desk", "spawn", "start"]
