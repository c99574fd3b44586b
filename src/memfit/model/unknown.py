"""The failure for an architecture that no file of memfit describes."""

from __future__ import annotations

from memfit.errors import UnknownArchitecture, UnknownName
from memfit.model.architectures import ARCHITECTURES


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
