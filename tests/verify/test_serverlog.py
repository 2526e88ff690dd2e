"""What the server's log says is either what the faults asked for, or shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgqueue.verify.serverlog import read_log

START = "2026-01-02 03:04:05.678 UTC [123] "


def line(code: str, level: str, text: str) -> str:
    return f"{START}{code} scratch pgqueue job | {level}:  {text}"


@pytest.mark.parametrize(
    "said",
    [
        line("40P01", "ERROR", "deadlock detected"),
        line("XX000", "PANIC", "could not locate a valid checkpoint record"),
        line("53300", "FATAL", "sorry, too many clients already"),
        f"{START}XX001 FATAL:  could not open a file",
        "an ERROR:  in some other form",
    ],
)
def test_what_nothing_asked_for_is_shown(tmp_path: Path, said: str) -> None:
    others = line("00000", "LOG", "ready"), line("00000", "STATEMENT", "select 1")
    (tmp_path / "server.log").write_text("\n".join([others[0], said, others[1]]))
    log = read_log([tmp_path / "server.log"])
    assert log.others == [said]
    assert not log.asked_for


def test_what_the_faults_asked_for_is_counted(tmp_path: Path) -> None:
    asked = [
        line("57P01", "FATAL", "terminating connection due to administrator command"),
        line("57P01", "FATAL", "terminating connection due to administrator command"),
        f"{START}57P03 [unknown] FATAL:  the database system is starting up",
    ]
    (tmp_path / "server.log").write_text("\n".join(asked))
    log = read_log([tmp_path / "server.log"])
    assert log.others == []
    assert sorted(log.asked_for.values()) == [1, 2]
