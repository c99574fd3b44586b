"""The names memfit knows: models and what they are for, devices, architectures, formats, schemes, engines, knobs."""

from __future__ import annotations

import json

import click

_HELP = """The names memfit knows.

announced: models that people ask for and that memfit cannot size, and why.

\b
  memfit list models
  memfit list devices --json"""

_KINDS = (
    "models",
    "announced",
    "devices",
    "architectures",
    "formats",
    "presets",
    "schemes",
    "engines",
    "uses",
    "knobs",
)


@click.command("list", help=_HELP)
@click.argument("kind", type=click.Choice(_KINDS))
@click.option("--json", "as_json", is_flag=True, help="Name and description as JSON.")
def COMMAND(kind: str, as_json: bool) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    rows = _rows(kind)
    if as_json:
        click.echo(json.dumps([{"name": name, "summary": words} for name, words in rows], indent=2))
        return
    width = max((len(name) for name, _ in rows), default=0)
    for name, words in rows:
        click.echo(f"{name:<{width}}  {words}".rstrip())


def _rows(kind: str) -> list[tuple[str, str]]:
    if kind == "models":
        from memfit.model.cards import CARDS
        from memfit.model.speech import SPEECH

        cards = [(card.name, f"{card.architecture}: {', '.join(card.uses)}") for card in CARDS]
        return cards + [(model.name, f"{model.task}: {', '.join(model.uses)}") for model in SPEECH]
    if kind == "announced":
        from memfit.model.announced import ANNOUNCED

        return [(model.name, model.why) for model in ANNOUNCED]
    if kind == "devices":
        from memfit.device.boards import BOARDS
        from memfit.units import format_bytes

        return [
            (
                key,
                f"{board.name}: not known, state --memory"
                if board.capacity_bytes is None
                else f"{board.name}: {format_bytes(board.capacity_bytes)} for a deployment ({board.grade})",
            )
            for key, board in BOARDS.items()
        ]
    if kind == "architectures":
        from memfit.model.architectures import ARCHITECTURES

        return [(architecture.name, architecture.summary) for architecture in ARCHITECTURES]
    if kind == "formats":
        from memfit.precision.formats import FORMATS

        return [(form.name, f"{form.bits:g} bits, {form.summary}") for form in FORMATS]
    if kind == "presets":
        from memfit.precision.presets import PRESETS

        return [(preset.name, preset.summary) for preset in PRESETS]
    if kind == "uses":
        from memfit.fit.uses import USES

        return [(key, use.summary) for key, use in USES.items()]
    if kind == "schemes":
        from memfit.precision.schemes import SCHEMES

        return [(key, f"{scheme.bits:.4g} bits, {scheme.summary}") for key, scheme in SCHEMES.items()]
    if kind == "knobs":
        from memfit.knob.knobs import KNOBS

        return [(key, knob.summary + (f"; takes {knob.takes}" if knob.takes else "")) for key, knob in KNOBS.items()]
    from memfit.engine.runtimes import ENGINES

    return [(engine.name, engine.summary) for engine in ENGINES]
