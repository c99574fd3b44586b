"""The failures for what no file of memfit describes: an architecture, a model."""

from __future__ import annotations

from memfit.catalog import fold
from memfit.errors import MemfitError, NotSized, UnknownArchitecture, UnknownName
from memfit.model.announced import ANNOUNCED
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS
from memfit.model.speech import SPEECH
from memfit.precision.formats import FORMATS
from memfit.units import format_bytes

_SMALL = "Q4_K"  # the format that most models are run in on a board


def unknown_architecture(
    architecture: str, *, file: str | None = None, so: str = "", hint: str = ""
) -> UnknownArchitecture:
    """The error to raise, with the nearest architectures that are known.

    Args:
        architecture: ``general.architecture`` of the header.
        file: where it stands.
        so: what follows from it, after the message.
        hint: what to do, after the nearest.
    """
    nearest = UnknownName("architecture", architecture, ARCHITECTURES.keys()).nearest
    known = f"nearest known: {', '.join(nearest)}" if nearest else "none is near: see memfit list architectures"
    return UnknownArchitecture(
        f"memfit does not know the architecture {architecture!r}{so}",
        file=file,
        hint=f"{known}; {hint}" if hint else known,
    )


def without_card(name: str) -> MemfitError:
    """The error to raise for a model that is neither a file nor a card: what is known of it, or the nearest names."""
    if name in ANNOUNCED and (known := ANNOUNCED.get(name)).published:
        small = FORMATS.get(_SMALL)
        weights_bytes = known.weights_bytes(small.bits)
        told = (
            weights_bytes and f"at {small.bits:g} bits ({_SMALL}) its weights alone take {format_bytes(weights_bytes)}"
        )
        return NotSized(
            f"{known.name} {known.why}: {_sizes(known.parameters, known.parameters_active)}",
            weights_bytes=weights_bytes,
            hint="; ".join(part for part in (told, known.advice) if part) or None,
        )
    names = [card.name for card in CARDS] + [model.name for model in SPEECH]
    families = {_family(known_name) for known_name in names}
    # what cannot be sized is no help to who can have another of its family
    names += [model.name for model in ANNOUNCED if model.published and _family(model.name) not in families]
    unknown = UnknownName("model", name, names)
    if not unknown.nearest:
        unknown.hint = "`memfit list models` shows those that are known"
    if name in ANNOUNCED:
        wish = ANNOUNCED.get(name)
        unknown.hint = f"{wish.name} {wish.why}; {unknown.hint}"
    return unknown


def _family(name: str) -> str:
    return fold(name).partition("_")[0]


def _sizes(parameters: int | None, active: int | None) -> str:
    if parameters is None:
        return "its size is not published"
    part = "" if active is None else f", {active / 1e9:g} billion of them active"
    return f"{parameters / 1e9:,g} billion parameters{part}"
