"""How jobs call a function: what fits it, in which form its arguments are kept, and what their JSON is made again.

A task whose function is called in another way than job by job has a Calling of another function.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, get_args

from pgqueue.arguments.mismatch import Reader
from pgqueue.arguments.signature import Annotations, Conversion, Fit, annotations_of
from pgqueue.errors import AnnotationWarning, ArgumentError, SignatureError
from pgqueue.job import Args
from pgqueue.record import EndedJob
from pgqueue.sealed import ENDED, codec_of


class Calling:
    """A function as jobs call it; `given` is how many of its first arguments the worker gives, such as a connection."""

    def __init__(self, function: Callable[..., Any], target: str, given: int = 0) -> None:
        self._function = function
        self._target = target
        self._given = given

    @cached_property
    def signature(self) -> inspect.Signature:
        """How the function is called by a job."""
        return self._without_given(inspect.signature(self._function))

    def misfit(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        """How arguments do not fit the parameters; None if they do."""
        if (fault := self._fit.fault(args, kwargs)) is None:
            return None
        return f"{fault}; its arguments are {self._function.__name__}{self.signature}"

    def check(self, args: Args) -> None:
        """Raise SignatureError if a job's arguments do not fit; what no arguments can be is left to who writes them.

        A function behind a decorator that takes anything may be given more there: what fits either is fine.
        """
        if isinstance(args, Mapping):
            if codec_of(args) is not None or not all(isinstance(name, str) for name in args):
                return
            call: tuple[Sequence[Any], Mapping[str, Any]] = (), args
        elif args is None or (isinstance(args, Sequence) and not isinstance(args, str | bytes)):
            call = args or (), {}
        else:
            return
        misfit = self.misfit(*call)
        if misfit is not None and (self._outer_fit is None or self._outer_fit.fault(*call) is not None):
            raise SignatureError(f"{self._target}: {misfit}")

    def stored(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Args:
        """The arguments as given if all are positional or all by keyword, else all by name where that can be.

        Raises SignatureError, ArgumentError.
        """
        if misfit := self.misfit(args, kwargs):
            raise SignatureError(f"{self._target}: {misfit}")
        if not kwargs:
            return args or None
        if not args:
            return kwargs
        if len(args) <= len(self._fit.placed):
            return {**dict(zip(self._fit.placed, args, strict=False)), **kwargs}
        call = self.signature.bind(*args, **kwargs)
        if call.kwargs:
            raise ArgumentError(
                f"{self._target}: a job's arguments are all positional or all by keyword, and"
                f" {', '.join(call.kwargs)} can only be given by keyword; give the others by keyword, too"
            )
        return call.args

    def by_name(self, args: Sequence[Any]) -> dict[str, Any]:
        """Positional arguments by the names of their parameters. Raises ArgumentError."""
        try:
            call = self.signature.bind_partial(*args)
        except TypeError as error:
            raise ArgumentError(f"{self._target}: {error}") from None
        return dict(call.arguments)

    @cached_property
    def takes_ended_job(self) -> bool:
        """Whether the argument `ended` is to be an EndedJob, by its annotation, and not what JSON makes of one."""
        said = self.signature.parameters.get(ENDED)
        if said is None:
            return False
        wanted = said.annotation
        return EndedJob.__name__ in wanted if isinstance(wanted, str) else EndedJob in (wanted, *get_args(wanted))

    @property
    def conversion(self) -> Conversion | None:
        """What makes of a job's JSON what the annotations say; None if they say nothing that JSON does not have."""
        return self._annotations.conversion

    @property
    def result(self) -> Reader | None:
        """The same of what the function returns."""
        return self._annotations.result

    @cached_property
    def _annotations(self) -> Annotations:
        # Asked for with the first job: what annotations name may stand below the function.
        # An EndedJob is read by who calls the function.
        found = annotations_of(self._function, self.signature, leaving=(ENDED,) if self.takes_ended_job else ())
        code = inspect.unwrap(self._function).__code__
        for doubt in found.doubts:
            said = f"{self._target}: {doubt}; what it is of comes as JSON has it"
            warnings.warn_explicit(said, AnnotationWarning, code.co_filename, code.co_firstlineno)
        return found

    @cached_property
    def _fit(self) -> Fit:
        return Fit(self.signature)

    @cached_property
    def _outer_fit(self) -> Fit | None:
        if not hasattr(self._function, "__wrapped__"):
            return None
        return Fit(self._without_given(inspect.signature(self._function, follow_wrapped=False)))

    def _without_given(self, signature: inspect.Signature) -> inspect.Signature:
        if not self._given:
            return signature
        parameters = list(signature.parameters.values())
        # (*args, **kwargs) takes them, too, and goes on to take anything.
        first = [each for each in parameters[: self._given] if each.kind is each.VAR_POSITIONAL]
        return signature.replace(parameters=[*first, *parameters[self._given :]])


@lru_cache(maxsize=256)
def calling_of(function: Callable[..., Any], target: str) -> Calling:
    """How jobs call a function that is no task."""
    return Calling(function, target)
