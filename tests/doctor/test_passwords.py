"""Where passwords lie, and how far a server is believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from pgqueue.doctor.server import _how_far_verified
from tests.doctor.conftest import Examine


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without anybody's files."""
    for name in ("PGPASSWORD", "PGPASSFILE", "PGSERVICEFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def put(path: Path, text: str, mode: int) -> None:
    path.write_text(text)
    path.chmod(mode)


def test_where_none_lies_open_all_is_well(examine: Examine, home: Path) -> None:
    put(home / ".pgpass", "*:*:*:*:hunter22\n", 0o600)
    put(home / ".pg_service.conf", "[shop]\nhost=db\n", 0o644)
    assert examine("passwords").status == "ok"


def test_a_password_in_the_environment_is_told(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter22")
    found = examine("passwords")
    assert found.status == "warn"
    assert "PGPASSWORD is set" in found.text
    assert "hunter22" not in f"{found.text} {found.cure}"


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_password_file_that_others_may_read_is_told_with_the_cure(
    examine: Examine, home: Path, dsn: str, mode: int
) -> None:
    put(home / ".pgpass", "*:*:*:*:hunter22\n", mode)
    found = examine("passwords")
    assert (found.status, found.cure) == ("warn", f"chmod 600 {home / '.pgpass'}")
    put(home / ".pgpass", "", 0o600)
    put(home / "other", "*:*:*:*:hunter22\n", mode)
    found = examine("passwords", make_conninfo(dsn, passfile=str(home / "other")))
    assert found.cure == f"chmod 600 {home / 'other'}"


def test_a_service_file_is_told_of_if_it_has_a_password(examine: Examine, home: Path) -> None:
    put(home / ".pg_service.conf", "[shop]\nhost=db\npassword = hunter22\n", 0o644)
    found = examine("passwords")
    assert found.cure == f"chmod 600 {home / '.pg_service.conf'}"
    assert "hunter22" not in found.text


@pytest.mark.parametrize(
    ("mode", "status"),
    [("verify-full", "ok"), ("verify-ca", "warn"), ("require", "warn"), ("prefer", "warn"), ("allow", "warn")],
)
def test_an_encrypted_connection_is_well_if_the_server_has_shown_who_it_is(mode: str, status: str) -> None:
    found = _how_far_verified("10.0.0.7", mode)
    assert found.status == status
    assert ("sslmode=verify-full" in (found.cure or "")) is (status == "warn")
