"""The record of a model that cannot be sized: no shape of it is known here, or there is no such model."""

from __future__ import annotations

import msgspec


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """A model that people ask for and that memfit has no shape of.

    Attributes:
        name: as its makers write it.
        published: False where people speak of it and nobody has published it.
        parameters, parameters_active: as its makers round them, in all and those a token passes through. A ``None``
            was never published.
        context_tokens: what its makers vouch for.
        why: why it has no card, the end of a sentence that begins with its name.
        advice: what to do instead, None where nothing helps.
        source: where size and reason were read.
        uses: what its makers publish it for, as a card's.
        released: year and month, ``2026-02``.
        aliases: other names people use.
    """

    name: str
    published: bool = True
    parameters: int | None = None
    parameters_active: int | None = None
    context_tokens: int | None = None
    why: str
    advice: str | None = None
    source: str
    uses: tuple[str, ...] = ()
    released: str | None = None
    aliases: tuple[str, ...] = ()

    def weights_bytes(self, bits: float) -> int | None:
        """What its weights take at ``bits`` each; None where nobody published how many there are."""
        return None if self.parameters is None else int(self.parameters * bits / 8)
