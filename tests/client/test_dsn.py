"""No part of a secret stands in a message, a log, a repr or a list of processes, however odd the DSN; the cure does."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pgqueue
from pgqueue.errors import DatabaseUnreachable
from pgqueue.migrate import migrate, status
from pgqueue.store.connection import open_async_connection, open_connection
from pgqueue.store.dsn import SECRETS, read

# The two halves of every password, round what is odd in it. Nothing listens at port 1.
ONE, TWO = "hun7er", "s3cr3t"
AT = "127.0.0.1:1"


def uri(odd: str, *, user: str = "app", place: str = f"{AT}/db") -> str:
    return f"postgresql://{user}:{ONE}{odd}{TWO}@{place}"


def words(password: str) -> str:
    return f"host=127.0.0.1 port=1 user=app dbname=db password={password}"


# Not encoded, where it ought to be: libpq takes the password apart.
BROKEN = {
    "slash": uri("/"),
    "slash and port": uri("/", place="db.internal:5432/shop"),
    "at": uri("@"),
    "at and slash": uri("@/"),
    "slash and at": uri("/@"),
    "percent": uri("%"),
    "percent, half a code": uri("%4"),
    "percent, no code": uri("%zz"),
    "percent NUL": uri("%00"),
    "question mark and at": uri("?@"),
    "slash and question mark": uri("/?"),
    "slash, question mark and equals": uri("/?x="),
    "hash and slash": uri("#/"),
    "digits and slash": f"postgresql://app:5432/{ONE}{TWO}@{AT}/db",
    "bracket and slash": uri("[/"),
    "colon and slash": uri(":/"),
    "blank and slash": uri(" /"),
    "comma and slash": uri(",/"),
    "at and an open bracket": uri("@[", place="[::1]:1/db").replace(TWO, f"{TWO}?"),
    "percent, no UTF-8": uri("%91"),
    "unicode and slash": uri("ü/€"),
    "several hosts and slash": uri("/", place="one:1,two:2/db"),
    "blank": uri(" "),
    "no user": f"postgresql://:{ONE}/{TWO}@{AT}/db",
    "in the query": f"postgresql://app@{AT}/db?password={ONE}&{TWO}",
    "of another scheme": f"mysql://app:{ONE}{TWO}@{AT}/db",
    "with SQLAlchemy's driver": f"postgresql+psycopg://app:{ONE}{TWO}@{AT}/db",
    "words, a blank": words(f"{ONE} {TWO}"),
    "words, a blank and equals": words(f"{ONE} {TWO}=x"),
    "words, an open quote": words(f"'{ONE} {TWO}"),
    "words, a quote in it": words(f"'{ONE}' {TWO}'"),
    "words, a quote in a word": words(f"'{ONE}'{TWO}'"),
    "a URI as dbname": f"dbname=postgresql://app:{ONE}{TWO}@{AT}/db",
    "a URI as host": f"host=app:{ONE}{TWO}@127.0.0.1 dbname=db",
    "a secret alone": f"{ONE}{TWO}",
    "a lone surrogate": uri("\ud800"),
    "a NUL": uri("\0"),
}
# Well formed: the connection is refused, and the message says where.
FINE = {
    "encoded": uri(quote("/@:%# ?&=+'\"ü€", safe="")),
    "colon": uri(":"),
    "hash": uri("#"),
    "question mark": uri("?"),
    "quote": uri("'"),
    "double quote": uri('"'),
    "unicode": uri("ü€"),
    "several hosts": uri("!", place="127.0.0.1:1,127.0.0.2:1/db"),
    "IPv6": uri("!", place="[::1]:1/db"),
    "socket": uri("!", place="/db?host=/nowhere/at/all"),
    "in the query": f"postgresql://app@{AT}/db?password={ONE}%20{TWO}",
    "words": words(f"{ONE}/@:%?#{TWO}"),
    "words in quotes": words(f"'{ONE} \\' \\\\ {TWO}'"),
    "sslpassword": f"host=127.0.0.1 port=1 dbname=db sslpassword='{ONE} {TWO}'",
    "the user's name, too": f"postgresql://{ONE}x:{ONE}x{TWO}@{AT}/db",
}


def connected(dsn: str) -> Any:
    return pgqueue.connect(dsn)


def opened(dsn: str) -> Any:
    return open_connection(dsn, "test")


def opened_async(dsn: str) -> Any:
    return asyncio.run(open_async_connection(dsn, "test"))


def worked(dsn: str) -> Any:
    return pgqueue.Worker(dsn, executor="thread", burst=True).run()


def listened(dsn: str) -> Any:
    return open_connection(dsn, "listener", deadline=1)


def asked(dsn: str) -> Any:
    return status(dsn)


def migrated(dsn: str) -> Any:
    return migrate(dsn)


def delayed(dsn: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.environ", {"PGQUEUE_DSN": dsn})
        return pgqueue.Task(_task).delay()


def _task() -> None: ...


DOORS = [connected, opened, opened_async, worked, asked, migrated, delayed]


def check_secret(text: str, *known: str) -> None:
    for known_name in known:
        text = text.replace(known_name, "")
    for secret in (ONE, TWO):
        assert secret not in text, text


@pytest.mark.parametrize("name", BROKEN)
def test_a_dsn_that_falls_apart_shows_nothing_and_says_the_cure(
    name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for door in DOORS:
        with (
            caplog.at_level(logging.DEBUG),
            pytest.raises(DatabaseUnreachable, match="the DSN cannot be read") as caught,
        ):
            door(BROKEN[name])
        check_secret(all_of(caught.value))
        assert "with special characters of the password percent-encoded (@ is %40" in str(
            caught.value
        ) or "without +driver" in str(caught.value)
    check_secret(caplog.text + "".join(capfd.readouterr()))


@pytest.mark.parametrize("name", FINE)
def test_a_refused_connection_says_where_and_not_with_what(
    name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for door in DOORS:
        with caplog.at_level(logging.DEBUG), pytest.raises(pgqueue.PgqueueError) as caught:
            door(FINE[name])
        assert isinstance(caught.value, DatabaseUnreachable)
        check_secret(all_of(caught.value), f"{ONE}x")
        assert "no connection to " in str(caught.value)
    check_secret(caplog.text + "".join(capfd.readouterr()), f"{ONE}x")


def all_of(error: BaseException) -> str:
    """All that may be printed of an error, its causes and its traceback."""
    return "".join([str(error), repr(error), repr(error.args), *traceback.format_exception(error)])


@pytest.mark.parametrize("name", FINE)
def test_a_well_formed_dsn_is_read_as_libpq_reads_it(name: str) -> None:
    assert read(FINE[name]) == psycopg.conninfo.conninfo_to_dict(FINE[name])


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "dbname=shop",
        "postgresql://",
        "postgresql:///shop",
        "postgresql://host",
        "postgresql://host:5432,other:5433,[::1]/shop?target_session_attrs=any",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/shop",
        "postgresql://app@host/shop?user=me@server&options=-c%20x%3D1",
        "postgresql://me%40server:pw@host/shop",
        "postgresql://host:/shop",
        "host=one,two port=5432,5433 dbname=shop",
        "host='' port='' dbname=' my shop '",
        "service=shop passfile=/etc/pgpass",
        "user=me@server host=h",
    ],
)
def test_what_is_no_doubt_is_let_through(dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "services").write_text("[shop]\nhost=nowhere\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    assert read(dsn) == psycopg.conninfo.conninfo_to_dict(dsn)


ODD = st.text(st.sampled_from("/@:%?#&=+,[]'\"\\ .-~!$*();<>|{}^`\t\nü0129"), max_size=3)
PLACES = ["h/db", "h:5432/db", "h", "[::1]:1/db", "a:1,b:2/db", "/db?host=/tmp", "h/db?sslmode=disable"]
FORMS = [
    *(f"postgresql://{user}:{{}}@{place}" for user in ("app", "", "a%40b") for place in PLACES),
    "host=h password={} dbname=db",
    "password={}",
    "host=h password='{}' dbname=db",
]


@settings(max_examples=500, deadline=None)
@given(before=ODD, odd=ODD, after=ODD, form=st.sampled_from(FORMS))
def test_whatever_a_password_is_no_part_of_it_is_taken_for_what_may_be_shown(
    before: str, odd: str, after: str, form: str
) -> None:
    try:
        found = read(form.format(f"{before}{ONE}{odd}{TWO}{after}"))
    except DatabaseUnreachable as error:
        check_secret(str(error))
    else:
        check_secret(str({name: value for name, value in found.items() if name not in SECRETS}))


def test_a_password_of_a_service_or_a_passfile_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "services").write_text(f"[shop]\nhost=127.0.0.1\nport=1\npassword={ONE}{TWO}\n")
    (tmp_path / "pgpass").write_text(f"127.0.0.1:1:db:app:{ONE}{TWO}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    for dsn in ("service=shop", f"postgresql://app@{AT}/db", "service=unknown"):
        for door in DOORS:
            with pytest.raises(DatabaseUnreachable) as caught:
                door(dsn)
            check_secret(all_of(caught.value))


@pytest.mark.parametrize("dsn", [*BROKEN.values(), *FINE.values()])
def test_no_value_of_ours_shows_a_dsn_that_it_holds(dsn: str) -> None:
    worker = pgqueue.Worker(dsn, listen_dsn=dsn)
    shown: list[Callable[[Any], str]] = [repr, str]
    for show in shown:
        check_secret(show(worker) + show(worker._settings) + show(worker._settings.tasks) + show(vars(worker)))
    with pytest.raises(pgqueue.EmbeddedError) as caught:
        pgqueue.embedded.open(dsn)
    check_secret(all_of(caught.value))
