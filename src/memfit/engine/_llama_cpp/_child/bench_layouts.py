"""ggml's blocks taken apart into the numbers that they hold, and put together again.

Every format here stores ``scale * step * level[code] - floor * shift``: ``scale`` and ``floor`` as half floats for a
block, ``step`` and ``shift`` as small integers for a group within it, a code for each element. Sources: the structs in
ggml/src/ggml-common.h, ``dequantize_row_*`` in ggml/src/ggml-quants.c (0c1e57098).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_BLOCK = 256  # QK_K
# kvalues_iq4nl, ggml/src/ggml-common.h (0c1e57098)
_IQ4_LEVELS = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)


class Parts(NamedTuple):
    """Blocks taken apart.

    Attributes:
        codes: (blocks, elements) uint8.
        scale: (blocks,) float32, each a half float's value.
        step: (blocks, groups) float32, each an integer; ones where a format has none.
        floor: (blocks,) float32; None where elements have no offset.
        shift: (blocks, groups) float32, as ``step``.
    """

    codes: Any
    scale: Any
    step: Any
    floor: Any = None
    shift: Any = None


class Layout(NamedTuple):
    """A format's blocks.

    Attributes:
        block_bytes: of one.
        elements: of one.
        group: elements that share a step.
        levels: the integer that each code stands for.
        steps: least and most of ``step``; None where a format has none.
        shifts: the same of ``shift``.
        unpack: of bytes (blocks, block_bytes).
        pack: Parts into bytes.
    """

    block_bytes: int
    elements: int
    group: int
    levels: Any
    steps: tuple[int, int] | None
    shifts: tuple[int, int] | None
    unpack: Callable[[Any], Parts]
    pack: Callable[[Parts], Any]


def _half(data: Any, at: int) -> Any:
    return np.ascontiguousarray(data[:, at : at + 2]).view(np.float16)[:, 0].astype(np.float32)


def _halved(values: Any) -> Any:
    return values.astype(np.float16)[:, None].view(np.uint8)


def _nibbles(data: Any, run: int) -> Any:
    """Of every ``run`` bytes first all low halves, then all high ones."""
    runs = data.reshape(len(data), -1, 1, run)
    return np.concatenate([runs & 15, runs >> 4], axis=2).reshape(len(data), -1)


def _joined(codes: Any, run: int) -> Any:
    pairs = codes.reshape(len(codes), -1, 2, run)
    return (pairs[:, :, 0] | pairs[:, :, 1] << 4).reshape(len(codes), -1)


def _crumbs(data: Any) -> Any:
    """Of every 32 bytes first all lowest two bits, then the next."""
    shifts = np.arange(0, 8, 2, dtype=np.uint8)[:, None]
    return ((data.reshape(len(data), -1, 1, 32) >> shifts) & 3).reshape(len(data), -1)


def _crumbled(codes: Any) -> Any:
    fours = codes.reshape(len(codes), -1, 4, 32)
    return (fours[:, :, 0] | fours[:, :, 1] << 2 | fours[:, :, 2] << 4 | fours[:, :, 3] << 6).reshape(len(codes), -1)


def _planes(data: Any) -> Any:
    """The lowest bit of all 32 bytes, then the next: (blocks, 256)."""
    shifts = np.arange(8, dtype=np.uint8)[:, None]
    return ((data[:, None, :] >> shifts) & 1).reshape(len(data), -1)


def _planed(bits: Any) -> Any:
    return np.bitwise_or.reduce(bits.reshape(len(bits), 8, 32) << np.arange(8, dtype=np.uint8)[:, None], axis=1)


def _ones(count: int) -> Any:
    return np.ones((count, 1), np.float32)


# block_q4_0, q4_1, q5_0, q5_1, q8_0 and iq4_nl: one or two half floats, 32 elements


def _simple(bits: int, offset: bool) -> tuple[Callable[[Any], Parts], Callable[[Parts], Any]]:
    head = 4 if offset else 2

    def unpack(data: Any) -> Parts:
        if bits == 8:
            codes = data[:, head:] ^ 128  # int8 as what lies 128 above it
        else:
            codes = _nibbles(data[:, -16:], 16)
        if bits == 5:
            codes |= np.unpackbits(data[:, head : head + 4], axis=1, bitorder="little") << 4
        ones = _ones(len(data))
        # what the format adds is what this record takes away
        return (
            Parts(codes, _half(data, 0), ones, -_half(data, 2), ones) if offset else Parts(codes, _half(data, 0), ones)
        )

    def pack(parts: Parts) -> Any:
        heads = [_halved(parts.scale), *([_halved(-parts.floor)] if offset else [])]
        if bits == 8:
            return np.concatenate([*heads, parts.codes ^ 128], axis=1)
        if bits == 5:
            heads.append(np.packbits(parts.codes >> 4, axis=1, bitorder="little"))
        return np.concatenate([*heads, _joined(parts.codes & 15, 16)], axis=1)

    return unpack, pack


# block_q2_K: 16 bytes with a step and a shift of four bits, 64 bytes of crumbs, scale, floor


def _unpack_q2_k(data: Any) -> Parts:
    steps = data[:, :16]
    return Parts(
        _crumbs(data[:, 16:80]),
        _half(data, 80),
        (steps & 15).astype(np.float32),
        _half(data, 82),
        (steps >> 4).astype(np.float32),
    )


def _pack_q2_k(parts: Parts) -> Any:
    steps = parts.step.astype(np.uint8) | parts.shift.astype(np.uint8) << 4
    return np.concatenate([steps, _crumbled(parts.codes), _halved(parts.scale), _halved(parts.floor)], axis=1)


# block_q3_K: the third bit of all in 32 bytes, 64 bytes of crumbs, sixteen steps of six bits in 12 bytes, scale


def _unpack_q3_k(data: Any) -> Parts:
    low = _nibbles(data[:, 96:104], 8)
    high = ((data[:, None, 104:108] >> np.arange(0, 8, 2, dtype=np.uint8)[:, None]) & 3).reshape(len(data), 16)
    steps = (low | high << 4).astype(np.float32) - 32
    return Parts(_crumbs(data[:, 32:96]) | _planes(data[:, :32]) << 2, _half(data, 108), steps)


def _pack_q3_k(parts: Parts) -> Any:
    steps = (parts.step + 32).astype(np.uint8)
    high = (steps >> 4).reshape(-1, 4, 4)
    high = high[:, 0] | high[:, 1] << 2 | high[:, 2] << 4 | high[:, 3] << 6
    low = _joined(steps & 15, 8)
    codes = parts.codes
    return np.concatenate([_planed(codes >> 2), _crumbled(codes & 3), low, high, _halved(parts.scale)], axis=1)


# block_q4_K and q5_K: scale, floor, eight steps and shifts of six bits in 12 bytes (get_scale_min_k4), the fifth bits
# of all, nibbles


def _six_bits(data: Any) -> tuple[Any, Any]:
    first, second, both = data[:, :4], data[:, 4:8], data[:, 8:12]
    step = np.concatenate([first & 63, both & 15 | first >> 6 << 4], axis=1)
    shift = np.concatenate([second & 63, both >> 4 | second >> 6 << 4], axis=1)
    return step.astype(np.float32), shift.astype(np.float32)


def _as_six_bits(step: Any, shift: Any) -> Any:
    step, shift = step.astype(np.uint8), shift.astype(np.uint8)
    first = step[:, :4] | step[:, 4:] >> 4 << 6
    second = shift[:, :4] | shift[:, 4:] >> 4 << 6
    return np.concatenate([first, second, step[:, 4:] & 15 | (shift[:, 4:] & 15) << 4], axis=1)


def _unpack_q4_k(data: Any) -> Parts:
    step, shift = _six_bits(data[:, 4:16])
    return Parts(_nibbles(data[:, 16:], 32), _half(data, 0), step, _half(data, 2), shift)


def _pack_q4_k(parts: Parts) -> Any:
    head = [_halved(parts.scale), _halved(parts.floor), _as_six_bits(parts.step, parts.shift)]
    return np.concatenate([*head, _joined(parts.codes, 32)], axis=1)


def _unpack_q5_k(data: Any) -> Parts:
    step, shift = _six_bits(data[:, 4:16])
    codes = _nibbles(data[:, 48:], 32) | _planes(data[:, 16:48]) << 4
    return Parts(codes, _half(data, 0), step, _half(data, 2), shift)


def _pack_q5_k(parts: Parts) -> Any:
    head = [_halved(parts.scale), _halved(parts.floor), _as_six_bits(parts.step, parts.shift)]
    return np.concatenate([*head, _planed(parts.codes >> 4), _joined(parts.codes & 15, 32)], axis=1)


# block_q6_K: nibbles (64 bytes a half of the block), the upper two bits (32 bytes a half), sixteen steps, scale


def _unpack_q6_k(data: Any) -> Parts:
    codes = _nibbles(data[:, :128], 64) | _crumbs(data[:, 128:192]) << 4
    return Parts(codes, _half(data, 208), data[:, 192:208].view(np.int8).astype(np.float32))


def _pack_q6_k(parts: Parts) -> Any:
    steps = parts.step.astype(np.int8).view(np.uint8)
    codes = parts.codes
    return np.concatenate([_joined(codes & 15, 64), _crumbled(codes >> 4), steps, _halved(parts.scale)], axis=1)


# block_iq4_xs: scale, the upper two bits of eight steps, their lower four, nibbles


def _unpack_iq4_xs(data: Any) -> Parts:
    high = np.ascontiguousarray(data[:, 2:4]).view("<u2") >> np.arange(0, 16, 2, dtype=np.uint16) & 3
    low = np.stack([data[:, 4:8] & 15, data[:, 4:8] >> 4], axis=2).reshape(len(data), 8)
    steps = (low | high.astype(np.uint8) << 4).astype(np.float32) - 32
    return Parts(_nibbles(data[:, 8:], 16), _half(data, 0), steps)


def _pack_iq4_xs(parts: Parts) -> Any:
    steps = (parts.step + 32).astype(np.uint16)
    high = np.bitwise_or.reduce(steps >> 4 << np.arange(0, 16, 2, dtype=np.uint16), axis=1).astype("<u2")
    low = (steps & 15).astype(np.uint8)
    low = low[:, 0::2] | low[:, 1::2] << 4
    return np.concatenate([_halved(parts.scale), high[:, None].view(np.uint8), low, _joined(parts.codes, 16)], axis=1)


def _levels(count: int, zero: int) -> Any:
    return np.arange(count, dtype=np.float32) - zero


_IQ4 = np.array(_IQ4_LEVELS, np.float32)
# by ggml's number of the type, enum ggml_type, ggml/include/ggml.h (0c1e57098)
LAYOUTS: dict[int, Layout] = {
    2: Layout(18, 32, 32, _levels(16, 8), None, None, *_simple(4, offset=False)),  # Q4_0
    3: Layout(20, 32, 32, _levels(16, 0), None, None, *_simple(4, offset=True)),  # Q4_1
    6: Layout(22, 32, 32, _levels(32, 16), None, None, *_simple(5, offset=False)),  # Q5_0
    7: Layout(24, 32, 32, _levels(32, 0), None, None, *_simple(5, offset=True)),  # Q5_1
    8: Layout(34, 32, 32, _levels(256, 128), None, None, *_simple(8, offset=False)),  # Q8_0
    10: Layout(84, _BLOCK, 16, _levels(4, 0), (0, 15), (0, 15), _unpack_q2_k, _pack_q2_k),  # Q2_K
    11: Layout(110, _BLOCK, 16, _levels(8, 4), (-32, 31), None, _unpack_q3_k, _pack_q3_k),  # Q3_K
    12: Layout(144, _BLOCK, 32, _levels(16, 0), (0, 63), (0, 63), _unpack_q4_k, _pack_q4_k),  # Q4_K
    13: Layout(176, _BLOCK, 32, _levels(32, 0), (0, 63), (0, 63), _unpack_q5_k, _pack_q5_k),  # Q5_K
    14: Layout(210, _BLOCK, 16, _levels(64, 32), (-128, 127), None, _unpack_q6_k, _pack_q6_k),  # Q6_K
    20: Layout(18, 32, 32, _IQ4, None, None, *_simple(4, offset=False)),  # IQ4_NL
    23: Layout(136, _BLOCK, 32, _IQ4, (-32, 31), None, _unpack_iq4_xs, _pack_iq4_xs),  # IQ4_XS
}


def values(layout: Layout, parts: Parts) -> Any:
    """What the blocks decode to, (blocks, elements) float32."""
    spread = layout.levels[parts.codes].reshape(len(parts.codes), -1, layout.group)
    spread = spread * (parts.scale[:, None] * parts.step)[:, :, None]
    if parts.floor is not None:
        spread = spread - (parts.floor[:, None] * parts.shift)[:, :, None]
    return spread.reshape(len(parts.codes), -1)
