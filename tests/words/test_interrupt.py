"""An interrupt in the middle: where it lands, and where it waits."""

from __future__ import annotations

import os
import signal

import pytest

from pgqueue.interrupt import interruptible, uninterrupted


def test_an_interrupt_waits_for_the_end_of_what_must_not_be_cut_in_two() -> None:
    done: list[str] = []

    def begin_and_remember() -> None:
        with interruptible():
            with uninterrupted(), uninterrupted():
                os.kill(os.getpid(), signal.SIGINT)
                done.append("begun")
                done.append("remembered")
            done.append("gone on")

    with pytest.raises(KeyboardInterrupt):
        begin_and_remember()
    assert done == ["begun", "remembered"]


def test_an_interrupt_elsewhere_lands_at_once() -> None:
    done: list[str] = []

    def begin_and_go_on() -> None:
        with interruptible():
            with uninterrupted():
                done.append("whole")
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("gone on")

    with pytest.raises(KeyboardInterrupt):
        begin_and_go_on()
    assert done == ["whole"]
