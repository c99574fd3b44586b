"""The record of a checkpoint's quantization."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["int", "float"]
Strategy = Literal["tensor", "channel", "group", "block"]


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """How the matrices of one group of modules are stored.

    Attributes:
        bits: of one number; a fraction where a method mixes them.
        kind: whole numbers or floating point.
        strategy: what one scale is for: the tensor, an output channel, a group of ``group_size`` numbers in one row, a
            block of ``block`` rows and columns. None where the config does not say.
        group_size: None unless ``strategy`` is ``group``.
        block: rows and columns, None unless ``strategy`` is ``block``.
        symmetric: without zero points.
        activation_bits: what inputs are quantized to, None where they are not.
        targets: names or patterns of the modules, as the config writes them; empty for all linear ones.
    """

    bits: float
    kind: Kind
    strategy: Strategy | None = None
    group_size: int | None = None
    block: tuple[int, int] | None = None
    symmetric: bool = True
    activation_bits: int | None = None
    targets: tuple[str, ...] = ()


class Quantization(msgspec.Struct, frozen=True, kw_only=True):
    """What a ``quantization_config`` says.

    Attributes:
        method: the ``quant_method``, ``awq``.
        format: how the numbers are packed, by the method's own name of it (``gemm``, ``nvfp4-pack-quantized``,
            ``NVFP4``); empty where there is only one way or the config does not say.
        weights: one entry for each group of modules, empty where memfit does not know the method.
        group_index: the checkpoint stores the group of each input (``desc_act``, ``actorder``).
        double: scales are quantized again (bitsandbytes).
        kept_modules: names or patterns of the modules that stay as they were, as the config writes them.
        kv_cache: number format of the cache that the checkpoint has scales for, ``FP8``; None for none.
    """

    method: str
    format: str = ""
    weights: tuple[Weights, ...] = ()
    group_index: bool = False
    double: bool = False
    kept_modules: tuple[str, ...] = ()
    kv_cache: str | None = None

    @property
    def bits(self) -> float | None:
        """Bits of one weight where all groups agree."""
        found = {each.bits for each in self.weights}
        return found.pop() if len(found) == 1 else None
