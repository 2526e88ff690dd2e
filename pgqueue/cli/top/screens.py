"""What lies over the tables for a moment: a page to read, a question of y or n, a line to type in.

All that came from the database is shown as plain text: Textual would read markup in it.
"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class Reading(ModalScreen[None]):
    """A page to read; any of its keys leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "leave", "back")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._said, self._text = title, text

    def compose(self) -> ComposeResult:
        """The page."""
        with VerticalScroll(id="page"):
            yield Static(Text(self._said, "bold"), id="page-title")
            yield Static(Text(self._text), id="page-text")

    def action_leave(self) -> None:
        """Go back to the table."""
        self.dismiss(None)


class Asking(ModalScreen[bool]):
    """A question that y agrees to, and n, escape or q do not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question."""
        with Vertical(id="question"):
            yield Static(Text(self._question), id="question-text")
            yield Static(Text("y yes · n no", "dim"))

    def action_answer(self, agreed: bool) -> None:
        """Go back with the answer."""
        self.dismiss(agreed)


class Typing(ModalScreen[str | None]):
    """A line to type in; escape leaves it as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back")]

    def __init__(self, before: str) -> None:
        super().__init__()
        self._before = before

    def compose(self) -> ComposeResult:
        """The line."""
        with Vertical(id="question"):
            yield Static(Text("Which? queue:mail task:send_* error:timeout worker:web-3 ... (empty: all)", "dim"))
            yield Input(self._before, id="typed", max_length=300)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go back with what was typed."""
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Go back with nothing."""
        self.dismiss(None)
