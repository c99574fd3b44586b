"""Weights as the engine will read them: encoded by ggml's own quantizer with importances, and decoded again.

ggml looks for the scales of every block, which takes longer than a step of training. Where a format's numbers are
``low + code * step`` within a group, codes are rounded anew at each step within the scales that ggml found last, which
is what its quantizers do with codes once the scales are chosen; scales follow the weights every few steps. Numbers of
i-quants below four bits come from codebooks, and stay as they are until ggml is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import torch

from memfit.engine.ggml import Codec
from memfit.errors import UsageError
from memfit.precision.formats import FORMATS


class Codes(msgspec.Struct, frozen=True):
    """Where a block of a format holds its codes.

    Attributes:
        levels: places of a group's grid; ``group`` numbers in a row share a scale.
        begin, end: the bytes of a block that hold nothing but codes.
        uneven: the places that codes stand for, where not every one has a code.
    """

    levels: int
    group: int
    begin: int
    end: int
    uneven: tuple[int, ...] = ()


# kvalues_iq4nl less its first
_UNEVEN = (0, 23, 44, 62, 78, 92, 105, 117, 128, 140, 152, 165, 180, 196, 216, 240)
# block_q2_K, _q3_K, _q4_K, _q5_K, _q6_K, _q4_0, _q4_1, _iq4_xs, _iq4_nl: ggml/src/ggml-common.h (0c1e57098)
CODES = {
    "Q2_K": Codes(4, 16, 16, 80),
    "Q3_K": Codes(8, 16, 0, 96),
    "Q4_K": Codes(16, 32, 16, 144),
    "Q5_K": Codes(32, 32, 16, 176),
    "Q6_K": Codes(64, 16, 0, 192),
    "Q4_0": Codes(16, 32, 2, 18),
    "Q4_1": Codes(16, 32, 4, 20),
    "IQ4_XS": Codes(241, 32, 8, 136, _UNEVEN),
    "IQ4_NL": Codes(241, 32, 2, 18, _UNEVEN),
}
_SHARES = (0.45, 0.2, 0.08)  # of a step: nearer than half of it to what is wanted
_MOST_OFF = 0.35  # of what rounding lost
_HALVES = {"F16": torch.float16, "BF16": torch.bfloat16}  # ggml rounds to the nearest even as well


class Grid(msgspec.Struct, frozen=True):
    """The values that weights may have between two questions to ggml, (rows, groups, 1) each.

    Attributes:
        gap: steps between the two nearest values of a group.
        nearest_code: for each half of a step of an uneven grid, the nearest place that has a code; those that are as
            near to two lie where halves meet.
    """

    low: torch.Tensor
    step: torch.Tensor
    levels: int
    group: int
    gap: int = 1
    nearest_code: torch.Tensor | None = None

    def nearest(self, weight: torch.Tensor) -> torch.Tensor:
        """Every number of ``weight`` (rows, columns) as the nearest that its group allows."""
        grouped = weight.view(*self.low.shape[:2], self.group)
        # a group whose scale is zero has one value only
        codes = torch.where(self.step == 0, 0.0, (grouped - self.low) / self.step)
        if self.nearest_code is None:
            codes = codes.round_().clamp_(0, self.levels - 1)
        else:
            codes = self.nearest_code[codes.mul_(2).clamp_(0, 2 * self.levels - 1).int()]
        return codes.mul_(self.step).add_(self.low).view(weight.shape)


class Quantizer:
    """One tensor's format.

    Args:
        codec: ggml's.
        name: of the tensor, for messages.
        format: that it is stored in.
        importance: of each column, (columns,) float32, or None.
    """

    def __init__(self, codec: Codec, name: str, format: str, importance: Any) -> None:
        self._codec = codec
        self._name = name
        self._format = FORMATS.get(format)
        self._codes = CODES.get(self._format.name)
        self._importance = importance
        self._grid: Grid | None = None

    @property
    def has_grid(self) -> bool:
        """Whether codes are rounded anew between two questions to ggml."""
        return self._codes is not None

    def refresh(self, weight: torch.Tensor) -> torch.Tensor:
        """What ggml makes of ``weight`` (rows, columns), float32 on its device: exactly what a file will hold.

        Raises:
            UsageError: a weight is not finite.
        """
        values = np.ascontiguousarray(weight.detach().cpu().numpy(), np.float32)
        if not np.isfinite(values).all():
            raise UsageError(f"{self._name} is no longer finite", hint="leave --recover out")
        number, columns = self._format.number, values.shape[1]
        data = self._codec.encode(number, values, self._importance)
        if self._codes is not None:
            self._grid = self._read_grid(data, columns, weight.device)
        return torch.from_numpy(self._codec.decode(number, data, columns).copy()).to(weight.device)

    def towards(self, weight: torch.Tensor, rounded: torch.Tensor) -> torch.Tensor:
        """Numbers as near to ``weight`` as they can be for ggml to make of them what was made otherwise, or nearly so.

        Args:
            weight: (rows, columns).
            rounded: what a file holds of it in this format, in whatever way it was rounded.
        """
        off = float((weight - rounded).norm())
        self.refresh(rounded)
        grid = self._grid
        found = rounded
        for share in _SHARES:
            if grid is None:
                found = rounded + share * (weight - rounded)
            else:
                room = share * grid.gap * grid.step.abs()
                room = room.expand(*grid.low.shape[:2], grid.group).reshape(weight.shape)
                found = torch.minimum(torch.maximum(weight, rounded - room), rounded + room)
            # ggml looks for scales anew, and may find others
            if float((self.refresh(found) - rounded).norm()) <= _MOST_OFF * off:
                return found
        return rounded.clone()

    def near(self, weight: torch.Tensor) -> torch.Tensor | None:
        """The same within the scales that are known; None where only ``refresh`` can tell."""
        if self._grid is not None:
            return self._grid.nearest(weight.detach())
        kind = _HALVES.get(self._format.name)
        return None if kind is None else weight.detach().to(kind).float()

    def _read_grid(self, data: Any, columns: int, device: torch.device) -> Grid:
        assert self._codes is not None
        codes = self._codes
        blocks = data.reshape(-1, self._format.block_bytes)

        def filled(byte: int) -> torch.Tensor:
            """The first number of each group if all codes were their least or their greatest."""
            blocks[:, codes.begin : codes.end] = byte
            rows = self._codec.decode(self._format.number, blocks.reshape(-1), columns)
            return torch.from_numpy(rows[:, :: codes.group].copy()).to(device).unsqueeze(-1)

        kept = blocks[:, codes.begin : codes.end].copy()
        low, high = filled(0x00), filled(0xFF)
        blocks[:, codes.begin : codes.end] = kept
        grid = Grid(low, (high - low) / (codes.levels - 1), codes.levels, codes.group)
        if not codes.uneven:
            return grid
        middles, uneven = torch.arange(0.25, codes.levels, 0.5), torch.tensor(codes.uneven)
        nearest = uneven[(middles[:, None] - uneven).abs().argmin(1)].float().to(device)
        return msgspec.structs.replace(grid, gap=int(uneven.diff().min()), nearest_code=nearest)


def quantizers(codec: Codec, formats: Mapping[str, str], importances: Mapping[str, Any]) -> dict[str, Quantizer]:
    """A quantizer for each named tensor."""
    return {name: Quantizer(codec, name, format, _only(importances.get(name))) for name, format in formats.items()}


def _only(importance: Any) -> Any:
    """Of the one matrix that a tensor is; mixtures of experts are not trained here."""
    return None if importance is None else np.ascontiguousarray(importance[0], np.float32)
