"""Colours, once for every output that has them.

The first six segments and the tones have the hues of Okabe and Ito (jfly.uni-koeln.de/color, 2008), chosen to differ
for colour-blind readers; tones are darkened or lightened until text in them has a contrast of 4.5:1 with the page
(WCAG 2.2, 1.4.3), which a test computes. No meaning rests on a colour alone.
"""

from __future__ import annotations

from typing import NamedTuple


class Palette(NamedTuple):
    """One theme. ``segments`` are filled areas; ``on_segments`` the colour of text in each.

    ``systems`` are greys for what is gone before a program starts, different enough to be told apart in a key; text in
    them is ink.
    """

    page: str
    panel: str
    ink: str
    quiet: str
    rule: str
    use: str
    pale: str
    hatch: str
    systems: tuple[str, ...]
    ok: str
    warn: str
    bad: str
    segments: tuple[str, ...]
    on_segments: tuple[str, ...]


LIGHT = Palette(
    page="#ffffff",
    panel="#f5f7f9",
    ink="#17202a",
    quiet="#5b6673",
    rule="#d5dbe1",
    use="#1f6fb2",
    pale="#b9d5ec",
    hatch="#e4eff8",
    systems=("#8e9aa6", "#bcc5cd", "#d6dce2"),
    ok="#00734f",
    warn="#8f5f00",
    bad="#b83a06",
    segments=(
        "#0072b2",
        "#e69f00",
        "#009e73",
        "#cc79a7",
        "#56b4e9",
        "#e06a1c",
        "#5b3fa0",
        "#a89c00",
        "#8a5a2b",
        "#8fce5a",
        "#b0126f",
        "#00555a",
    ),
    on_segments=("#ffffff", *("#17202a",) * 5, "#ffffff", "#17202a", "#ffffff", "#17202a", "#ffffff", "#ffffff"),
)

DARK = Palette(
    page="#12171d",
    panel="#1b222a",
    ink="#e8edf2",
    quiet="#9aa7b4",
    rule="#33404c",
    use="#58a6e0",
    pale="#2b5275",
    hatch="#1f3447",
    systems=("#5d6975", "#434d58", "#323b45"),
    ok="#3ccf9b",
    warn="#f0b23e",
    bad="#ff8f5e",
    segments=(
        "#3f9bd9",
        "#e9a820",
        "#1fb88a",
        "#d88bb5",
        "#7cc6f0",
        "#ee7a2b",
        "#9b86e0",
        "#c9bd3a",
        "#b98a5e",
        "#a6dd72",
        "#e0609f",
        "#3aa0a6",
    ),
    on_segments=("#12171d",) * 12,
)

SEGMENTS = len(LIGHT.segments)
"""Colours before they repeat."""

SYSTEMS = len(LIGHT.systems)
"""Greys before they repeat."""

HEAT = (0.08, 0.25, 0.45, 0.75, 1)
"""Opacities of a heat map's shades, pale to dark."""

FONT = (
    "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, Inter, 'Helvetica Neue', Arial, "
    "'Liberation Sans', 'DejaVu Sans', sans-serif"
)


def picture_css(palette: Palette) -> str:
    """Fills and strokes of the classes that vector pictures use."""
    rules = [
        f".page{{fill:{palette.page}}}",
        f".ink{{fill:{palette.ink}}}",
        f".quiet{{fill:{palette.quiet}}}",
        f".rule{{stroke:{palette.rule};stroke-width:1}}",
        f".join{{stroke:{palette.quiet};stroke-width:1;stroke-dasharray:2 2}}",
        f".limit{{stroke:{palette.ink};stroke-width:1.5;stroke-dasharray:5 3}}",
        f".use{{fill:{palette.use}}}",
        f".pale{{fill:{palette.pale}}}",
        f".hatched{{fill:{palette.hatch}}}",
        f".line-use{{stroke:{palette.use};fill:none}}",
        f".edge{{fill:none;stroke:{palette.use};stroke-width:1}}",
        *(f".system{index}{{fill:{fill}}}" for index, fill in enumerate(palette.systems)),
        f".free{{fill:{palette.page};stroke:{palette.quiet};stroke-width:1}}",
        f".gap{{stroke:{palette.page};stroke-width:2}}",
        f".total{{fill:{palette.quiet}}}",
        f".line-total{{stroke:{palette.quiet};fill:none}}",
        f".line-ink{{stroke:{palette.ink};fill:none;stroke-linejoin:round}}",
        f".whisker{{stroke:{palette.ink};stroke-width:1.2}}",
        f".over{{stroke:{palette.bad};stroke-width:3}}",
        f".beyond{{fill:{palette.bad};fill-opacity:.07}}",
    ]
    rules.append(f".on-heat{{fill:{palette.page}}}")
    for step, opacity in enumerate(HEAT):
        rules.append(f".heat{step}{{fill:{palette.use};fill-opacity:{opacity}}}")
    for tone in ("ok", "warn", "bad"):
        colour = getattr(palette, tone)
        rules.append(f".{tone}{{fill:{colour}}}.line-{tone}{{stroke:{colour};fill:none}}")
    for index, (fill, text) in enumerate(zip(palette.segments, palette.on_segments, strict=True)):
        rules.append(f".segment{index}{{fill:{fill}}}.on{index}{{fill:{text}}}")
    return "\n".join(rules)


TEXT_CSS = f"""text{{font-family:{FONT};font-size:13px;font-variant-numeric:tabular-nums}}
.small{{font-size:11.5px}}
.title{{font-size:15px;font-weight:600}}
.strong{{font-weight:600}}"""
