"""Tasks that are programs, as workers of the tests run them."""

from __future__ import annotations

from datetime import date

import pgqueue


def _pair(n: int, m: int) -> int:
    raise NotImplementedError


# Its argument is a file; there it writes its own number and that of a process that it has started.
_READ = r"""read -r told; file=$(sed 's/.*"args":\["\([^"]*\)".*/\1/' <<<"$told"); """
_TWO = _READ + "sleep 600 & echo $! > $file.new; echo $$ >> $file.new; mv $file.new $file; wait"

add = pgqueue.command_task(
    "add",
    ["perl", "-e", r"""$_ = <STDIN>; /"args":\[(\d+),(\d+)\]/; printf qq({"result":%d}\n), $1 + $2"""],
    store_result=True,
)
# Given up by a program, done by another.
falling = pgqueue.command_task(
    "falling", ["false"], fallback=add, fallback_after=1, limit_key="n:{n}", takes=_pair, store_result=True
)
lasting = pgqueue.command_task("lasting", ["bash", "-c", _TWO])
# Neither of the two hears SIGTERM.
stubborn = pgqueue.command_task("stubborn", ["bash", "-c", f"trap '' TERM; {_TWO}"])
retried = pgqueue.command_task(
    "retried", ["sh", "-c", "if [ $PGQUEUE_ATTEMPT = 1 ]; then echo '{\"delay\":0}'; exit 75; fi"]
)
buried = pgqueue.command_task("buried", ["sh", "-c", "echo no such photo >&2; exit 65"])


def _named(path: str, day: date = date(2026, 1, 31)) -> dict[str, str]:
    raise NotImplementedError


typed = pgqueue.command_task(
    "typed", ["perl", "-ne", r"""/"args":(\{.*?\})/; print qq({"result":$1}\n)"""], takes=_named, store_result=True
)
