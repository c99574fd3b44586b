"""Settings changed so that they give memory back, all together or not at all; undo takes them back."""

from __future__ import annotations

from typing import Any

import click

from memfit.cli._changing import agree, find_offers, needs_of, place_options, show_before, take_place, wishes_of
from memfit.cli._output import Outputs, output_options, show
from memfit.errors import UsageError

_HELP = """Settings changed so that they give memory back, all together or not at all; undo takes them back.

\b
  memfit apply --all-applicable --dry-run          what would be done, and what it gives
  sudo memfit apply --all-applicable --needs camera
  sudo memfit apply --knob desktop --knob swiotlb
  sudo memfit apply --knob power_mode=15W --knob swap_file=8GiB
  memfit apply --knob zram=2GiB --weights model.gguf --dry-run    does it pack at all?
  memfit apply --host jetson --sudo --knob cups    over SSH
  memfit apply --root rootfs --all-applicable      an image, before it is flashed
  sudo memfit apply --all-applicable --step --check "memfit verify model.gguf"

\b
What a product needs is kept: display, camera, audio, bluetooth, printing, usb-network, updates, docker.
The exit code of --step is 1 where the check fails before anything is changed.
A change over SSH is taken back by the machine itself where no second connection confirms it within a minute."""


@click.command("apply", help=_HELP)
@place_options
@click.option("--recorded", metavar="FILE", help="With --dry-run: what `memfit audit --record` wrote.")
@click.option(
    "--knob", "knobs", multiple=True, metavar="NAME[=VALUE]", help="A knob, at a value it takes; several times."
)
@click.option("--weights", metavar="MODEL", help="With zram: how well this file or folder packs, there and now.")
@click.option("--all-applicable", is_flag=True, help="Every knob that gives memory back here and takes nothing needed.")
@click.option("--needs", multiple=True, metavar="LIST", help="What the product uses: display,camera,…")
@click.option("--risk", is_flag=True, help="Also what may break something; each says what.")
@click.option("--dry-run", is_flag=True, help="Show every file and command, and do nothing.")
@click.option("--step", "step", is_flag=True, help="One knob at a time, each measured.")
@click.option(
    "--check", default="", metavar="CMD", help="With --step: what breaks this command, run here, is taken back."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@output_options
def COMMAND(**given: Any) -> int:  # noqa: N802  the catalog's constant
    """Run the verb; returns the exit code."""
    from memfit.apply import apply, choose, propose, stepwise

    outputs, place = Outputs.take(given), take_place(given)
    names = _names(given)
    if given["check"] and not given["step"]:
        raise UsageError("--check belongs to --step", hint="--step --check CMD")
    if given["recorded"] is not None and not given["dry_run"]:
        raise UsageError("a recording cannot be changed", hint="--dry-run shows what would be done on that machine")
    if given["recorded"] is not None and given["weights"] is not None:
        raise UsageError("--weights are read on the machine itself, and a recording is none", hint="leave out the one")
    needs = needs_of(given["needs"])
    wishes = wishes_of(place, given["knobs"], given["weights"])
    found = find_offers(place, needs, names, wishes=wishes, recorded=given["recorded"])
    offers = tuple(offer.bold for offer in found.offers) if given["risk"] else found.offers
    chosen, left = choose(offers, names, risk=given["risk"])
    proposal = propose(found.host, chosen, found.changes(chosen), left if names is not None else ())
    if given["dry_run"] or not chosen:
        show(proposal, outputs)
        return 0
    if not given["yes"]:
        show_before(proposal)
        agree(f"change this on {found.host.name}?", yes=False)
    if not given["step"]:
        show(apply(place, found.host.name, chosen, found.changes(chosen)), outputs)
        return 0

    def changes_now(offer: Any) -> Any:
        now = find_offers(place, needs, [offer.name], wishes={offer.name: offer.wish})
        again = (one.bold if given["risk"] else one for one in now.offers)
        return now.changes([one for one in again if one.applies])

    steps = stepwise(
        place, found.host.name, chosen, changes_now, given["check"], said=lambda line: click.echo(line, err=True)
    )
    show(steps, outputs)
    return 1 if steps.is_refused else 0


def _names(given: dict[str, Any]) -> list[str] | None:
    if given["knobs"] and given["all_applicable"]:
        raise UsageError("--knob and --all-applicable at once", hint="give one of them")
    if not given["knobs"] and not given["all_applicable"]:
        raise UsageError(
            "no knob is named", hint="--knob NAME, or --all-applicable; with --dry-run to see what it would do"
        )
    return [word.partition("=")[0].strip() for word in given["knobs"]] or None
