"""The bodies of webhooks: our own JSON, and what Slack, Teams and PagerDuty read. No text of a message steers them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pgqueue.alerting.message import Message, as_text

# What these services take of one text.
SLACK_BLOCK, PAGERDUTY_SUMMARY, PAGERDUTY_KEY = 2_900, 1_000, 255


def generic(message: Message, _key: str) -> dict[str, Any]:
    """All of it, by names that stay."""
    return {
        "id": message.id,
        "key": message.key,
        "kind": message.kind,
        "what": message.what,
        "source": message.source,
        "at": message.at.isoformat(),
        "title": message.title,
        "facts": dict(message.facts),
        "args": message.args,
        "traceback": message.traceback,
        "commands": list(message.commands),
        "link": message.link,
    }


def slack(message: Message, _key: str) -> dict[str, Any]:
    """An incoming webhook of Slack, or of what understands the same (Mattermost, Rocket.Chat)."""
    facts = "\n".join(f"*{_slack(name)}* {_slack(value)}" for name, value in message.facts)
    blocks: list[dict[str, Any]] = [_section(f"*{_slack(message.subject)}*")]
    if facts:
        blocks.append(_section(facts))
    blocks += [_section(_fenced(text)) for text in (message.args, message.traceback) if text]
    if message.commands:
        blocks.append(_section(_fenced("\n".join(message.commands))))
    if message.link:
        blocks.append(_section(_slack(message.link)))
    return {"text": _slack(message.subject)[:SLACK_BLOCK], "blocks": blocks, "unfurl_links": False}


def teams(message: Message, _key: str) -> dict[str, Any]:
    """A workflow of Teams that takes an adaptive card. Runs of text, which read no Markdown."""
    color = "good" if message.is_over else "attention"
    body: list[dict[str, Any]] = [_run(message.subject, weight="bolder", color=color)]
    body += [_run(f"{name}: {value}") for name, value in message.facts]
    body += [_run(text, fontType="monospace") for text in (message.args, message.traceback) if text]
    body += [_run(command, fontType="monospace") for command in message.commands]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Look", "url": message.link}]
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def pagerduty(message: Message, key: str) -> dict[str, Any]:
    """An event of PagerDuty: the alert's key is that of the incident, which what is resolved ends."""
    event: dict[str, Any] = {
        "routing_key": key,
        "event_action": "resolve" if message.is_over else "trigger",
        "dedup_key": f"{message.source} {message.key}"[:PAGERDUTY_KEY],
    }
    if not message.is_over:
        event["payload"] = {
            "summary": message.subject[:PAGERDUTY_SUMMARY],
            "source": message.source,
            "severity": "info" if message.kind == "test" else "error",
            "timestamp": message.at.isoformat(),
            "class": message.kind,
            "custom_details": {**dict(message.facts), "text": as_text(message)},
        }
        if message.link:
            event["links"] = [{"href": message.link, "text": "pgqueue"}]
    return event


TEMPLATES: dict[str, Callable[[Message, str], dict[str, Any]]] = {
    "generic": generic,
    "slack": slack,
    "teams": teams,
    "pagerduty": pagerduty,
}


def body_of(template: str, message: Message, key: str = "") -> bytes:
    """The body to send; `key` is PagerDuty's routing key."""
    return json.dumps(TEMPLATES[template](message, key), ensure_ascii=False).encode()


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _slack(text: str) -> str:
    """A text that mentions nobody, links nowhere and is not set in any way."""
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, written)
    # A joiner of no width between the signs of Slack's marks and what they would set.
    for sign in "*_~`":
        text = text.replace(sign, f"\u200b{sign}\u200b")
    return text[:SLACK_BLOCK]


def _fenced(text: str) -> str:
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, written)
    text = text.replace("```", "`\u200b`\u200b`")
    # The end of a traceback says what happened.
    return f"```\n{text[-SLACK_BLOCK:]}\n```"


def _run(text: str, **look: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}
