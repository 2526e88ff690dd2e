"""Pictures of every page: `python -m tests.browser.pictures docs/images`; at all widths: `... --all FOLDER`."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from pgqueue.dashboard import create_app
from pgqueue.migrate import migrate
from tests.browser.browsing import SCHEMES, WIDTHS, browser, overflow, tab
from tests.browser.shop import open_shop
from tests.dashboard.serving import served
from tests.postgres import FAST, started_server, swept_folder

PAGES = {
    "overview": "/",
    "queues": "/queues",
    "queue": "/queue?name=mail",
    "whatif": "/queue?name=mail&slots=%2B8#h-whatif",
    "at": "/at?when=2h+ago",
    "jobs": "/jobs",
    "job": "/jobs/{dead}",
    "log": "/jobs/{dead}#h-log",
    "search": "/jobs?q=state:dead+queu:mail",
    "found": "/jobs?q=queue:mail+state:dead",
    "bulk": "/act/bulk/retry?of=state:dead",
    "running": "/running",
    "dead": "/dead",
    "causes": "/causes",
    "cause": "/causes/9f2c01a4b7de",
    "workers": "/workers",
    "worker": "/worker?id={worker}",
    "stacks": "/worker?id={worker}#h-dump",
    "schedules": "/schedules",
    "schedule": "/schedule?name=tidy",
    "limits": "/limits",
    "limit": "/limit?name=stripe",
    "workflows": "/workflows",
    "workflow": "/workflows/{workflow}",
    "settings": "/settings",
    "feeds": "/feeds",
    "operations": "/operations",
    "operation": "/operations/3",
    "audit": "/audit",
    "doctor": "/doctor",
    "waiting": "/jobs/{waiting}",
    "edit": "/act/job/edit?of={dead}",
    "evict": "/act/worker/evict?of={worker}",
}


def main() -> None:
    """Take the pictures."""
    every = sys.argv[1] == "--all"
    folder = Path(sys.argv[2] if every else sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with swept_folder() as place:
        server = started_server(place / "server", FAST)
        try:
            with psycopg.connect(server.dsn(), autocommit=True) as admin:
                admin.execute("create database shop")
            dsn = server.dsn("shop", tcp=True)
            migrate(dsn)
            if "--empty" not in sys.argv:
                with psycopg.connect(dsn, autocommit=True) as conn:
                    jobs = open_shop(conn)
            else:
                jobs = {}
            app = create_app(dsn, title="shop", actions=True)
            with served(app) as address, browser() as started:
                for width in WIDTHS if every else (1280,):
                    for scheme in SCHEMES:
                        take(started, address, jobs, folder, width, scheme, f"-{width}" if every else "")
            asyncio.run(app.aclose())
            squeeze(folder)
        finally:
            server.stop("immediate")


def take(started: Any, address: str, jobs: Any, folder: Path, width: int, scheme: str, suffix: str) -> None:
    with tab(started, address, width=width, scheme=scheme) as page:
        only = os.environ.get("ONLY", "").split(",")
        for name, path in PAGES.items():
            if ("{" in path and not jobs) or (only != [""] and name not in only):
                continue
            page.goto(address + path.format(**jobs))
            page.wait_for_timeout(250)
            if wide := overflow(page):
                print(f"{name} at {width}: {wide}")
            page.screenshot(path=folder / f"{name}{suffix}-{scheme}.png", full_page=bool(suffix))


def squeeze(folder: Path) -> None:
    """Make the pictures small, where there is a program for it."""
    if program := shutil.which("pngquant"):
        command = [program, "--force", "--ext", ".png", "--quality", "60-95", "128", *folder.glob("*.png")]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
