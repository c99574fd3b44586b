"""Which smaller models of the catalog can draft for one, what both take together, and from which acceptance it pays."""

from __future__ import annotations

import msgspec

from memfit.device.records import Device
from memfit.engine.records import Deployment
from memfit.errors import UsageError
from memfit.fit.exact import options_of
from memfit.fit.records import FitRow, Wish
from memfit.fit.rows import setting_on
from memfit.fit.search import fit
from memfit.fit.sizes import PROGRAM, table
from memfit.footprint.estimate import find_models
from memfit.footprint.predict import predict
from memfit.model.cards import CARDS, Card
from memfit.model.sources.well_known import USUAL_PRESET
from memfit.speed.speculative import Speculation, speculate
from memfit.speed.vocabulary import Compatibility, card_vocabulary, compatible, vocabulary_of

ENGINE = "llama_cpp"
_LARGEST_SHARE = 0.5  # of the target's parameters; above it no acceptance pays


class DraftRow(msgspec.Struct, frozen=True, kw_only=True):
    """One draft beside the target.

    Attributes:
        parameters: of the draft.
        required_bytes, headroom_bytes: of both together, at the context of the target's row.
        fits: both together.
        speculation: what it brings by acceptance; None where no speed is known of the machine.
    """

    draft: str
    parameters: int
    format: str
    required_bytes: int
    headroom_bytes: int
    fits: bool
    speculation: Speculation | None


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A smaller model that cannot draft, and why."""

    draft: str
    compatibility: Compatibility


class DraftsOf(msgspec.Struct, frozen=True, kw_only=True):
    """The drafts of a model on a device.

    Attributes:
        target: the target alone, in the format that is best for it.
        drafts: compatible ones; those that fit beside it first, by what they bring at ``ACCEPTANCE``.
        refused: smaller ones with another vocabulary.
    """

    device: Device
    wish: Wish
    target: FitRow
    drafts: tuple[DraftRow, ...]
    refused: tuple[Refused, ...]
    notes: tuple[str, ...] = ()
    schema_version: int = 1


ACCEPTANCE = 0.7
"""At which drafts are put in order; what a draft really reaches depends on the text, and only a run tells."""


def drafts_of(device: Device, wish: Wish, model: str) -> DraftsOf:
    """Every smaller model of the catalog that has the tokens of ``model``.

    Raises:
        UnknownName, ModelError: as ``fit``.
        UsageError: an engine other than llama.cpp, or a model that does not fit alone.
    """
    if wish.engines not in ((), (ENGINE,)):
        raise UsageError("drafts are sized for llama.cpp only", hint="leave out --engine")
    rows = fit(device, wish, models=(model,)).rows
    if not rows or rows[0].verdict == "no":
        reason = rows[0].reason if rows else "no engine takes it"
        raise UsageError(f"{model} does not fit alone: {reason}", hint="a smaller --context or another board")
    target = rows[0]
    words = vocabulary_of(find_models(Deployment(model=model), source="formula").model)
    drafts, refused = [], []
    for card in CARDS:
        parameters = _parameters(card)
        if not 0 < parameters <= target.parameters * _LARGEST_SHARE or "embedding" in card.uses:
            continue
        found = compatible(words, card_vocabulary(card))
        if found.verdict == "yes":
            drafts.append(_row(device, wish, model, target, card, parameters))
        else:
            refused.append(Refused(draft=card.name, compatibility=found))
    family = target.model.lower().partition("-")[0]  # those that people try: TinyLlama for a Llama
    refused.sort(key=lambda one: (family not in one.draft.lower(), one.draft))
    drafts.sort(key=lambda row: (not row.fits, -gain_at(row), row.draft))
    return DraftsOf(
        device=device,
        wish=wish,
        target=target,
        drafts=tuple(drafts),
        refused=tuple(refused),
        notes=(
            "how many drafted tokens are accepted depends on the text, and only a run tells",
            "the target's pass over several tokens is taken to cost what the roofline says of it",
        ),
    )


def gain_at(row: DraftRow) -> float:
    """The speed-up at ``ACCEPTANCE``; 0 where no speed is known."""
    if row.speculation is None:
        return 0.0
    return next((gain.speed_up for gain in row.speculation.gains if gain.acceptance == ACCEPTANCE), 0.0)


def _parameters(card: Card) -> int:
    sizes = table().models.get(CARDS.key(card.name))
    return 0 if sizes is None else sizes.parameters


def _row(device: Device, wish: Wish, model: str, target: FitRow, card: Card, parameters: int) -> DraftRow:
    format = None if target.as_stored else target.format
    options = options_of(device, wish, ENGINE, target.at_tokens)
    deployment = Deployment(model=model, engine=ENGINE, format=format, draft=card.name, options=options)
    models = find_models(deployment, source="formula")
    both = predict(device, models, deployment, profile=PROGRAM, source="formula")
    setting = setting_on(device, wish, ENGINE)
    speculation = None
    if setting is not None and models.draft is not None:
        depth = target.at_tokens // 2
        speculation = speculate(models.model, models.draft, setting.machine, setting.efficiency, depth_tokens=depth)
    return DraftRow(
        draft=card.name,
        parameters=parameters,
        format=USUAL_PRESET,
        required_bytes=both.required_bytes,
        headroom_bytes=both.headroom_bytes,
        fits=both.headroom_bytes >= 0,
        speculation=speculation,
    )
