"""Whatever ends a feed, the same command goes on: no item is lost, none is fed twice."""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgqueue
from pgqueue.embedded import Server
from pgqueue.migrate import migrate
from tests.client.proxy import CuttingProxy
from tests.feeding import sources
from tests.feeding.conftest import Command, Feeding, Trough
from tests.waiting import wait_until

Process = Callable[..., "subprocess.Popen[str]"]
ALL = list(range(sources.MANY))


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.faults
def test_each_item_is_fed_once_whenever_the_feeder_is_killed(process: Process, trough: Trough) -> None:
    kills = 0
    while kills < 8:
        running = process("slowly", "--batch", 50)
        trough.await_items("test", kills * 400 + random.randrange(1, 400))
        running.send_signal(signal.SIGKILL)
        ended(running)
        kills += 1
        assert trough.numbers() == ALL[: trough.feed("test").items]
        wait_until(lambda: trough.feed("test").state == "stopped")
    assert ended(process("slowly"))[0] == 0
    assert trough.numbers() == ALL


def test_ctrl_c_ends_after_a_batch_and_the_next_call_goes_on(process: Process, trough: Trough) -> None:
    running = process("numbers", "--buffer", 400)
    trough.await_items("test", 400)
    running.send_signal(signal.SIGINT)
    code, out, err = ended(running)
    assert (code, out) == (130, "")
    assert "goes on from there" in err
    assert trough.feed("test").state == "stopped"
    assert trough.numbers() == ALL[:400]
    assert ended(process("numbers"))[0] == 0
    assert trough.numbers() == ALL


@pytest.mark.parametrize("step", range(1, 300, 12))
def test_ctrl_c_between_any_two_steps_ends_a_feed(feeding: Feeding, trough: Trough, step: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        feeding("numbers", buffer=40, interrupted_at=step).result(20)
    fed = trough.feed("test")
    assert (fed.state, trough.numbers()) == ("stopped", ALL[: fed.items])


def test_ctrl_c_reaches_an_iterator_that_waits_and_what_it_gave_stays(process: Process, trough: Trough) -> None:
    running = process("endless")
    trough.await_items("test", 3)
    running.send_signal(signal.SIGTERM)
    assert ended(running)[0] == 130
    assert trough.numbers() == [0, 1, 2]


def test_the_same_command_twice_at_once_is_refused(process: Process, trough: Trough) -> None:
    process("numbers", "--buffer", 40)
    trough.await_items("test", 40)
    code, _, err = ended(process("numbers"))
    assert code == 1
    assert "is being fed by process" in err
    assert trough.numbers() == ALL[:40]


@pytest.fixture
def proxy(dsn: str) -> Iterator[CuttingProxy]:
    given = conninfo_to_dict(dsn)
    proxy = CuttingProxy(str(given["host"]), int(str(given["port"])))
    yield proxy
    proxy.close()


def test_a_batch_whose_commit_got_no_reply_is_not_fed_again(
    feed: Callable[..., pgqueue.Fed], trough: Trough, dsn: str, proxy: CuttingProxy
) -> None:
    told: list[pgqueue.FeedProgress] = []

    def cut(progress: pgqueue.FeedProgress) -> None:
        told.append(progress)
        if len(told) == 2:
            proxy.cut_after(b"COMMIT")

    through = make_conninfo(dsn, port=proxy.port, sslmode="disable", gssencmode="disable")
    assert feed("numbers", batch=500, dsn=through, on_progress=cut).fed == sources.MANY
    assert [each for each in told if each.trouble is not None]
    assert trough.numbers() == ALL


@pytest.mark.faults
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_feed_goes_on_when_the_database_is_back(
    private_server: Server, shell: Command, start: Process, mode: str
) -> None:
    dsn = private_server.dsn(tcp=True)
    migrate(dsn)
    running = start(
        "feed", "tests.feeding.sources:slowly", "--to", "tests.feeding.sources:take", "--name", "test", "--batch", "50",
        "--dsn", dsn,
    )  # fmt: skip
    for items in (200, 1500, 3000):
        with psycopg.connect(dsn, autocommit=True) as conn:
            Trough(conn).await_items("test", items)
        private_server.stop(mode)  # type: ignore[arg-type]
        private_server.start()
    code, out, err = ended(running)
    assert (code, "5,000 items now" in out) == (0, True), err
    assert "waiting: " in err
    assert "going on" in err
    with psycopg.connect(dsn, autocommit=True) as conn:
        assert Trough(conn).numbers() == ALL


def test_a_feed_that_is_removed_on_the_way_ends(feeding: Feeding, trough: Trough, shell: Command) -> None:
    fed = feeding("numbers", buffer=40)
    trough.await_items("test", 40)
    assert shell("feeds", "remove", "test").code == 0
    with pytest.raises(pgqueue.FeedBusy, match="or removed"):
        fed.result(10)
    assert trough.numbers() == ALL[:40]
