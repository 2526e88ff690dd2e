"""A dashboard whose login is a reader shows every page, and says where it does not show what jobs carry."""

from __future__ import annotations

import asyncio
import html

from pgqueue.dashboard import create_app
from tests.dashboard.asking import ask
from tests.dashboard.filled import ADDRESSES, FORMS, fill
from tests.roles.conftest import Staffed

SAID = "not shown: this role may not read what jobs carry"


def test_a_reader_sees_every_page_without_what_jobs_carry(staffed: Staffed) -> None:
    found = fill(staffed.conn)
    (args,) = staffed.conn.execute("select args::text from pgqueue.dead_jobs where args::text <> '{}'").fetchone() or (
        "",
    )
    assert args
    app = create_app(dsn=staffed.logins["reader"], actions=True)
    try:
        for shape in (*ADDRESSES, *FORMS):
            answer = ask(app, found.address(shape))
            assert answer.status == 200, (shape, answer.text[-2000:])
            assert args not in html.unescape(answer.text), shape
        assert SAID in ask(app, found.address("/jobs/{dead}")).text
        found_none = ask(app, "/jobs?q=args.user%3D7")
        assert (found_none.status, "may not read" in found_none.text) == (200, True)
    finally:
        asyncio.run(app.aclose())
