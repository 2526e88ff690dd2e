"""How an SVG looks that stands alone, in light and dark; a page that shows one as its part knows these names, too."""

LIGHT = {
    "succeeded": "#23713a",
    "dead": "#b3261e",
    "running": "#0a6f80",
    "retrying": "#8a5a00",
    "manual": "#8a5a00",
    "ready": "#1d5fc4",
    "scheduled": "#6d4fb8",
    "waiting": "#5b616a",
    "open": "#5b616a",
    "cancelled": "#5b616a",
}
DARK = {
    "succeeded": "#74cf8b",
    "dead": "#ff8f86",
    "running": "#5ccfdf",
    "retrying": "#f0b64e",
    "manual": "#f0b64e",
    "ready": "#82b4ff",
    "scheduled": "#bda8ff",
    "waiting": "#a0a7b1",
    "open": "#a0a7b1",
    "cancelled": "#a0a7b1",
}
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'


def _states(colours: dict[str, str]) -> str:
    return " ".join(f".s-{state} {{ --c: {colour}; }}" for state, colour in colours.items())


STYLE = f"""<style>
svg.graph {{ --ink: #1b1d21; --panel: #fff; --line: #8a8f96; --bad: #b3261e; background: #f8f8f6; font: 13px {FONT}; }}
{_states(LIGHT)}
@media (prefers-color-scheme: dark) {{
svg.graph {{ --ink: #e7e8ea; --panel: #1a1c20; --line: #6a717b; --bad: #ff8f86; background: #121316; }}
{_states(DARK)}
}}
.box rect {{ fill: var(--panel); stroke: var(--c); stroke-width: 1.5; }}
.box.s-waiting rect, .box.s-cancelled rect {{ stroke-dasharray: 4 3; }}
.box text {{ fill: var(--ink); font-weight: 550; }}
.box .mark, .box .said {{ fill: var(--c); font-weight: 400; }}
.box .said {{ font-size: 11.5px; }}
.box rect.done {{ fill: var(--c); stroke: none; }}
.box rect.all {{ fill: var(--line); stroke: none; opacity: .35; }}
.arrow {{ fill: none; stroke: var(--line); stroke-width: 1.4; }}
.arrow.repair {{ stroke: var(--bad); stroke-dasharray: 5 4; }}
.arrow-head {{ fill: var(--line); }}
</style>"""
