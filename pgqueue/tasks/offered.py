"""What a module offers to jobs without @task: its public functions, those that it defines itself.

A row names them, so nothing here imports, and nothing runs: members are looked up in the module's own dictionary.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from pgqueue.errors import TargetError
from pgqueue.tasks.target import check_function


def members_of(module: str) -> Mapping[str, Any]:
    """The names of a module that is imported; none if it is not."""
    loaded = sys.modules.get(module)
    return {} if loaded is None else vars(loaded)


def check_offered(module: str, name: str) -> None:
    """Raise TargetError for a member of a module that jobs may not call without @task."""
    members = members_of(module)
    if not _is_public(name, members):
        raise TargetError(
            "it is not in __all__ of its module" if "__all__" in members else "its name begins with an underscore"
        )
    function = members[name]
    # Its type alone: what jobs name must not be shown, and a lazy object must not wake.
    if (kind := type(function)) is not FunctionType:
        raise TargetError(
            "it is a class" if issubclass(kind, type) else f"it is no function, but of type {kind.__name__}"
        )
    check_function(function)
    if (place := _elsewhere(function, module)) is not None:
        raise TargetError(f"it is defined in {place}")


def is_defined_in(module: str, function: FunctionType) -> bool:
    """Whether a module defines this function itself, and has not imported it."""
    return _elsewhere(function, module) is None


def offered_by(module: str) -> list[str]:
    """The targets of the plain functions that jobs may call there."""
    return [
        f"{module}:{name}"
        for name, member in list(members_of(module).items())
        if type(member) is FunctionType and _is_offered(module, name)
    ]


def _is_offered(module: str, name: str) -> bool:
    try:
        check_offered(module, name)
    except TargetError:
        return False
    return True


def _is_public(name: str, members: Mapping[str, Any]) -> bool:
    """Whether `from module import *` would import it."""
    said = members.get("__all__")
    return not name.startswith("_") if said is None else isinstance(said, (list, tuple)) and name in said


def _elsewhere(function: FunctionType, module: str) -> str | None:
    """Where a function is defined, if that is not in this module: by what it says, and by where its own code stands.

    A decorator may write any `__module__` and `__wrapped__` on what it returns; the globals of code cannot be changed.
    """
    if function.__module__ != module:
        return str(function.__module__)
    own = members_of(module)
    for code in (function, inspect.unwrap(function)):
        its = getattr(code, "__globals__", {})
        # A wrapper stands in no module; what does is imported from there, whatever it says of itself.
        if its is not own and (code is not function or its.get(code.__code__.co_name) is code):
            return str(its.get("__name__", "no module"))
    return None
