"""What the workbench answers with: what models make of a text, and where numbers lie."""

from __future__ import annotations

import msgspec


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What a model made of one window of the text.

    Attributes:
        window: its number.
        tokens: predictions counted.
        nats: summed negative log likelihood of the tokens that come; ``base_nats``: the base's.
        divergence: summed KL divergence of the base's predictions from this model's, in nats; None without a base.
        agree: predictions whose likeliest token is the base's; None without a base.
    """

    window: int
    tokens: int
    nats: float
    base_nats: float | None = None
    divergence: float | None = None
    agree: int | None = None


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A model beside the base, window by window; ``p99`` and ``most`` of the divergences of single predictions."""

    windows: tuple[Window, ...]
    p99: float | None = None
    most: float | None = None


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Measured: tokens a second of prompt and of answer, one user."""

    prefill_tokens_per_s: float
    decode_tokens_per_s: float


class Continuation(msgspec.Struct, frozen=True, kw_only=True):
    """A text behind another: its negative log likelihood in nats, its tokens, and whether each was the likeliest."""

    nats: float
    tokens: int
    greedy: bool


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where other numbers for a weight of the base lie: in a file, from an offset in bytes on, in a format."""

    path: str
    offset: int
    format: str
