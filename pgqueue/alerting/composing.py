"""From the facts of an alert, as the database keeps them, to a message: worded, cut, and with its secrets taken out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pgqueue.alerting.message import RESOLVED, TEST, Message
from pgqueue.alerting.wording import clock, commands_of, lasting, moment, one_line, page_of, title_of
from pgqueue.encryption import in_words, is_encrypted_text
from pgqueue.leaving_out import HIDDEN, without
from pgqueue.printable import in_lines
from pgqueue.redaction import Redaction
from pgqueue.store.alerts import MOST_TRACEBACK, Sample, Unsent

# Lines of a traceback, and characters of one; characters of arguments.
LINES, LINE, ARGS = 20, 300, 2_000
# Alerts that a digest names.
NAMED = 20

SampleOf = Callable[[str], Sample | None]


def compose(key: str, unsent: Unsent, source: str, sample_of: SampleOf, redaction: Redaction) -> Message:
    """The message to send. `source` is what people call the database; `sample_of` finds a dead job of a cause."""
    key = one_line(key, 200)
    facts = _object(unsent.facts)
    settings = _object(unsent.settings)
    link = str(settings["link"]).rstrip("/") if settings.get("link") else None
    if unsent.what == "digest":
        return _digest(key, unsent, source, facts, link)
    if unsent.what == TEST:
        who = one_line(facts.get("who", "somebody"))
        title = f"a test: {who} asked whether messages arrive"
        return Message(
            key=key, number=unsent.number, kind=TEST, what=TEST, source=source, at=_utc(unsent.made_at), title=title,
            link=link,
        )  # fmt: skip
    return _single(key, unsent, source, facts, link, sample_of, redaction)


def _single(
    key: str,
    unsent: Unsent,
    source: str,
    facts: Mapping[str, Any],
    link: str | None,
    sample_of: SampleOf,
    redaction: Redaction,
) -> Message:
    kind, name = str(facts.get("kind", "")), str(facts.get("object", ""))
    found = _object(facts.get("found"))
    n = _whole(facts.get("n"))
    sample = sample_of(name) if kind == "dead" and unsent.what != RESOLVED else None
    args, traceback, error = _of_sample(sample, redaction)
    told = [
        ("since", _since(facts, unsent.made_at)),
        ("how many", _how_many(kind, n, facts)),
        ("task", found.get("target")),
        ("queue", found.get("queue") or (name if kind in ("stalled", "unserved", "growing") else None)),
        ("error", error),
        ("job", sample.id if sample else found.get("job")),
        ("attempts", sample.attempts if sample else None),
        ("release", sample.release if sample else None),
        ("over since", clock(facts.get("until")) if unsent.what == RESOLVED else None),
    ]
    commands = () if unsent.what == RESOLVED else commands_of(kind, name, found)
    return Message(
        key=key,
        number=unsent.number,
        kind=kind,
        what=unsent.what,
        source=source,
        at=_utc(unsent.made_at),
        title=title_of(kind, name, n, found),
        facts=tuple((label, one_line(value)) for label, value in told if value),
        args=args,
        traceback=traceback,
        commands=(*commands, *(() if unsent.what == RESOLVED else (_mute(key),))),
        link=f"{link}{page_of(kind, name)}" if link else None,
    )


def _digest(key: str, unsent: Unsent, source: str, facts: Mapping[str, Any], link: str | None) -> Message:
    kinds = _object(facts.get("kinds"))
    listed = facts.get("first")
    first = [_object(each) for each in listed[:NAMED]] if isinstance(listed, list) else []
    keys = _whole(facts.get("keys"))
    told = [
        ("kinds", ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))),
        ("since", clock(facts.get("since"))),
    ]
    for each in first:
        kind, name = str(each.get("kind")), str(each.get("object"))
        told.append((str(each.get("key")), title_of(kind, name, _whole(each.get("n")), _object(each.get("found")))))
    if keys > len(first):
        told.append(("and", f"{keys - len(first):,} more: pgqueue alerts list"))
    told.append(("then", "at most one such digest an hour, and nothing of these when they are well again"))
    return Message(
        key=key,
        number=unsent.number,
        kind="storm",
        what=unsent.what,
        source=source,
        at=_utc(unsent.made_at),
        title=f"{keys:,} alerts at once",
        facts=tuple((one_line(label, 120), one_line(value, 300)) for label, value in told if value),
        commands=("pgqueue alerts list", "pgqueue doctor"),
        link=link,
    )


def _of_sample(sample: Sample | None, redaction: Redaction) -> tuple[str | None, str | None, str | None]:
    """Its arguments, the end of its traceback and its error, as they may be told."""
    if sample is None:
        return None, None, None
    if sample.args is None:
        # Too large to look into: what of it stands in the error is not known.
        return "(larger than 64 KB)", HIDDEN, HIDDEN
    cleaned = redaction.of_args(sample.target, sample.args)
    secrets = _together(cleaned.secrets, redaction.of_json(sample.labels or "{}").secrets)
    error = redaction.in_words(without(sample.error, secrets) or "") or None
    lines = redaction.in_words(without(_whole_lines(sample.traceback or ""), secrets) or "").rstrip().splitlines()
    traceback = "\n".join(in_lines(line[:LINE]) for line in lines[-LINES:]) or None
    if is_encrypted_text(sample.error):
        # Its end alone is here, which nobody could tell from a text.
        traceback = None
    return in_lines(in_words(cleaned.text)[:ARGS]), traceback, error


def _together(some: frozenset[str] | None, others: frozenset[str] | None) -> frozenset[str] | None:
    """What is secret for either reason; None where one is not known."""
    return None if some is None or others is None else some | others


def _whole_lines(text: str) -> str:
    """Without the first line where the text was cut there: half a secret is found by nobody, and read by somebody."""
    return text.partition("\n")[2] if len(text) >= MOST_TRACEBACK else text


def _how_many(kind: str, n: int, facts: Mapping[str, Any]) -> str | None:
    if not n:
        return None
    more = _whole(facts.get("more"))
    since = moment(facts.get("told_at"))
    if kind in ("dead", "worker_lost", "schedule") and since is not None:
        return f"{n:,}, of them {more:,} since the last message at {clock(since)}"
    return f"{n:,}"


def _since(facts: Mapping[str, Any], made_at: datetime) -> str | None:
    since = moment(facts.get("since"))
    if since is None:
        return None
    return f"{clock(since)} ({lasting((_utc(made_at) - since).total_seconds())})"


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC)


def _mute(key: str) -> str:
    return f"pgqueue alerts mute {shlex.quote(one_line(key, 200))} --for 1d"


def _object(value: object) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
