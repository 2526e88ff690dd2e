"""Icons, drawn inline: each state has a shape of its own, so that colour never says alone what it is."""

from __future__ import annotations

from markupsafe import Markup

_DOT = '<circle cx="8" cy="8" r="4.5" fill="currentColor" stroke="none"/>'
_SHAPES = {
    "ready": '<circle cx="8" cy="8" r="5"/>',
    "scheduled": '<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.5 1.5"/>',
    "running": '<path d="M5 3.5v9l7.5-4.5z" fill="currentColor"/>',
    "retrying": '<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3"/>',
    "waiting": '<path d="M4.5 2.5h7M4.5 13.5h7M5.5 2.5v2.2L8 8l2.5-3.3V2.5M5.5 13.5v-2.2L8 8l2.5 3.3v2.2"/>',
    "open": '<path d="M8 3.5v9M3.5 8h9"/>',
    "manual": '<circle cx="8" cy="5" r="2.7"/><path d="M3 13.5c.4-3 2.4-4.5 5-4.5s4.6 1.5 5 4.5"/>',
    "succeeded": '<path d="M3 8.5 6.5 12 13 4.5"/>',
    "dead": '<path d="m4 4 8 8m0-8-8 8"/>',
    "cancelled": '<circle cx="8" cy="8" r="5.5"/><path d="m4.2 4.2 7.6 7.6"/>',
    "made": _DOT,
    "gap": '<path d="M3 8h.01M8 8h.01M13 8h.01" stroke-width="2.5"/>',
    "failed": '<path d="M8 2 15 14H1zM8 6.5v3.5M8 12h.01"/>',
    "timeout": '<circle cx="8" cy="8" r="6"/><path d="M8 4v4h3"/>',
    "crashed": '<path d="M9 1 3.5 9H8l-1 6 5.5-8H8z"/>',
    "lost": '<path d="M5.5 6A2.5 2.5 0 1 1 8 8.5V10M8 13h.01"/>',
    "growing": '<path d="M2 12 6.5 7.5l3 3L14 5M10 5h4v4"/>',
    "paused": '<path d="M5.5 3.5v9M10.5 3.5v9" stroke-width="2.5"/>',
    "search": '<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/>',
    "menu": '<path d="M2 4h12M2 8h12M2 12h12"/>',
    "theme": '<circle cx="8" cy="8" r="6"/><path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor"/>',
    "copy": '<path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3"/>',
    "next": '<path d="m6 3 5 5-5 5"/>',
    "out": '<path d="M9 3h4v4M13 3 7.5 8.5M6 4H3v9h9v-3"/>',
    "help": '<circle cx="8" cy="8" r="6.5"/><path d="M6.3 6.3A1.8 1.8 0 1 1 8 8.6v.9M8 11.8h.01"/>',
}
# What an outcome of an attempt looks like that has no shape of its own.
_LIKE = {"late": "lost", "released": "ready", "expired": "timeout", "snoozed": "scheduled"}


def icon(name: str) -> Markup:
    """An icon; a dot for what has none."""
    shape = _SHAPES.get(_LIKE.get(name, name), _DOT)
    return Markup(
        '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor"'
        ' stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">{}</svg>'
    ).format(Markup(shape))
