"""Importing pgqueue, every module of it, speaks to nobody: no connection, no name looked up, no program started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import ROOT

# Python itself tells of each attempt before it is made (PEP 578), also where it comes from a C library's caller.
GUARD = """
import sys

FORBIDDEN = {
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo",
    "socket.sendto", "socket.sendmsg", "socket.bind", "urllib.Request", "http.client.connect",
    "subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.exec",
}

def guard(event, args):
    if event in FORBIDDEN:
        raise AssertionError(f"while importing {importing}: {event} {args!r:.200}")

importing = "nothing"
sys.addaudithook(guard)
"""
# Django's modules want a project, as they have in one.
EVERYTHING = """
import importlib, pkgutil

from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "nowhere"}},
    INSTALLED_APPS=[
        "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.messages", "django.contrib.admin",
        "pgqueue.contrib.django",
    ],
    SECRET_KEY="none",
)
import django

django.setup()
import pgqueue, pytest_pgqueue

count = 0
for module in pkgutil.walk_packages(pgqueue.__path__, "pgqueue."):
    importing = module.name
    # A program, and not a module: to import it is to run it.
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
        count += 1
print(count)
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", GUARD + code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_importing_every_module_speaks_to_nobody(tmp_path: Path) -> None:
    done = run(EVERYTHING, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    files = [path for path in (ROOT / "pgqueue").rglob("*.py") if path.name != "__main__.py"]
    # All but the package itself.
    assert int(done.stdout) >= len(files) - 1


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "import subprocess; subprocess.run(['true'])",
    ],
)
def test_the_guard_notices(code: str, tmp_path: Path) -> None:
    done = run(code, tmp_path)
    assert done.returncode == 1
    assert "AssertionError: while importing" in done.stderr
