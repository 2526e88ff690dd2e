"""What stands under the name of a secret is shown by no command, no log and no error, whatever its task says."""

from __future__ import annotations

import pytest

from pgqueue.leaving_out import HIDDEN
from pgqueue.secret_names import VARIABLE
from tests.cli.conftest import Command
from tests.security import tasks
from tests.worker.running import Desk, StartProcess

PASSWORD, PHONE = "hush-hunter-22", "hush-555-0199"
ACCOUNT = {"user": "ann", "password": PASSWORD, "home_phone": PHONE}


def test_they_are_shown_nowhere_and_stored_in_no_error(
    spawn: StartProcess,
    desk: Desk,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "*phone*")
    worker = spawn(app=["tests.security.tasks"], store_logs="info")
    job = tasks.sign_in.enqueue(desk.conn, ACCOUNT)
    desk.await_all_ended()
    worker.process.terminate()
    worker.wait()
    told = {"the worker's log": worker.text}
    told["attempts"] = str(desk.conn.execute("select error, traceback from pgqueue.attempts").fetchall())
    told["lines"] = str(desk.conn.execute("select line from pgqueue.job_logs").fetchall())
    for words in (["jobs", "list", "--wide"], *([what, "show", job.id] for what in ("jobs", "dead"))):
        for form in ([], ["--json"]):
            ran = command(*words, *form)
            assert ran.code == 0, ran.err
            told[" ".join(map(str, [*words, *form]))] = ran.out + ran.err
    for where, text in told.items():
        assert PASSWORD not in text, where
        assert PHONE not in text, where
    assert "ann may not" in told["attempts"]
    assert f'"password": "{HIDDEN}"' in told[f"jobs show {job.id}"]
    # Whoever may read the tables says that they want to see them.
    monkeypatch.setenv(VARIABLE, "none")
    assert PASSWORD in command("jobs", "show", job.id).out
