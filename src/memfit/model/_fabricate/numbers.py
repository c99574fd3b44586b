"""Which bytes of each format may be random, so that what they decode to is finite and of a weight's size.

Almost all may: quantized values, packed scales of groups, indices into grids, and the low byte of every scale. Only the
bytes that hold the exponent of a float decide its size, and those are drawn from a few values each. Layouts follow
ggml/src/ggml-common.h, the decoding ggml/src/ggml-quants.c of llama.cpp (0c1e57098).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from struct import pack
from typing import Literal, NamedTuple

from memfit.errors import UsageError
from memfit.precision import Format

Role = Literal["weight", "one", "negative"]

# Of a weight: small enough that sums over a row of 30,000 stay near one, as trained weights of this width are.
DEVIATION = 0.02


_ANY = bytes(range(256))


class Field(NamedTuple):
    """One byte of a block and what each of the 256 random values becomes there."""

    at: int
    table: bytes


class Filling(NamedTuple):
    """How a block is filled: what random values become in all of its bytes, and then in some."""

    fields: tuple[Field, ...]
    everywhere: bytes = _ANY


def role_of(name: str, dims: Sequence[int]) -> Role:
    """What a tensor's numbers are for, by its name in a GGUF file.

    Norms, scales and factors of a rotation are near one: a model divides by some of them. Decays of a state stand in
    the file as negative numbers (``-exp(A_log)``, llama.cpp conversion/mamba.py): with positive ones a state would grow
    without bound. Biases and everything that a matrix product reads is a weight.
    """
    last = name.rpartition("blk.")[2].partition(".")[2] if "blk." in name else name
    if last == "ssm_a":
        return "negative"
    if last.endswith("bias"):
        return "weight"
    if last.endswith("scale") or last == "ssm_d" or "norm" in last or last.startswith("rope_"):
        return "one"
    vector = all(size == 1 for size in dims[1:])
    return "one" if vector and "gate_inp" not in last else "weight"


def filling_of(form: Format, role: Role) -> Filling:
    """How a block is filled for numbers of this role. Formats with several numbers to a block hold weights only.

    Raises:
        UsageError: a format that only exists while a product is computed.
    """
    found = _floats(form.name, role) or _blocks().get(form.name)
    if found is None:
        raise UsageError(
            f"{form.name} is no format of a file's weights",
            hint="the engine uses it for activations while it computes",
        )
    if form.name == "TQ2_0":  # of four values that two bits can hold, a ternary weight has three
        return Filling(found, _table(byte for byte in range(256) if all(byte >> at & 3 < 3 for at in (0, 2, 4, 6))))
    return Filling(found)


@functools.cache
def _floats(name: str, role: Role) -> tuple[Field, ...]:
    near_one = range(0x70, 0x90)  # second byte: 0.94 to 1.12 under 3F
    below = range(0x80, 0x100)  # second byte: 1 to 2 under 3F or BF
    if name in ("F32", "BF16"):  # the same first bytes
        high = 3 if name == "F32" else 1
        return {
            "weight": (Field(high, _table(_gaussian("<f"))),),
            "one": (Field(high, _table([0x3F])), Field(high - 1, _table(near_one))),
            "negative": (Field(high, _table([0xBF])), Field(high - 1, _table(below))),
        }[role]
    if name == "F16":
        return {
            "weight": (Field(1, _table(_gaussian("<e"))),),
            "one": (Field(1, _table([0x3B, 0x3C])),),  # 0.875 to 1.25
            "negative": (Field(1, _table(range(0xBC, 0xC0))),),  # -1 to -2
        }[role]
    if name == "F64":
        second = {"weight": range(0x80, 0xA0), "one": [0xF0], "negative": range(0xF0, 0x100)}[role]
        first = {"weight": [0x3F, 0xBF], "one": [0x3F], "negative": [0xBF]}[role]
        return Field(7, _table(first)), Field(6, _table(second))
    if name in ("I8", "I16", "I32", "I64"):
        # indices into something: 0 and 1 point into everything
        width = int(name[1:]) // 8
        return Field(0, _table([0, 1])), *(Field(at, _table([0])) for at in range(1, width))
    return ()


@functools.cache
def _blocks() -> dict[str, tuple[Field, ...]]:
    """Formats of blocks. Scales are such that the numbers deviate by ``DEVIATION``, give or take a factor of 1.6.

    A minimum is what an average number of its group stands above zero, so that numbers lie on both sides of it.
    """
    return {
        "Q4_0": _half(0, 0x1C, signed=True),
        "Q4_1": (*_half(0, 0x1C), *_half(2, 0xA8)),
        "Q5_0": _half(0, 0x18, signed=True),
        "Q5_1": (*_half(0, 0x18), *_half(2, 0xA8)),
        "Q8_0": _half(0, 0x0C, signed=True),
        "Q1_0": _half(0, 0x25, signed=True),
        "Q2_0": _half(0, 0x24, signed=True),
        "Q2_K": (*_half(80, 0x15), *_half(82, 0x18)),
        "Q3_K": _half(108, 0x0F, signed=True),
        "Q4_K": (*_half(0, 0x04), *_half(2, 0x10)),
        "Q5_K": (*_half(0, 0x02), *_half(2, 0x10)),
        "Q6_K": _half(208, 0x01, signed=True),
        "IQ2_XXS": _half(0, 0x10, signed=True),
        "IQ2_XS": _half(0, 0x10, signed=True),
        "IQ2_S": _half(0, 0x10, signed=True),
        "IQ3_XXS": _half(0, 0x09, signed=True),
        "IQ3_S": _half(0, 0x09, signed=True),
        "IQ1_S": _half(0, 0x1A, signed=True),
        # its scale lies in the upper four bits of four 16-bit words, the exponent in the last two of them
        "IQ1_M": (Field(55, _table(range(0x10, 0x20))), Field(53, _table(range(0xA0, 0xB0)))),
        "IQ4_NL": _half(0, 0x0C, signed=True),
        "IQ4_XS": _half(0, 0x01, signed=True),
        "TQ1_0": _half(52, 0x26, signed=True),
        "TQ2_0": _half(64, 0x26, signed=True),
        "MXFP4": (Field(0, _table([119, 120])),),
        "NVFP4": tuple(Field(at, _table([2, 3, 4])) for at in range(4)),
    }


def _half(at: int, high: int, *, signed: bool = False) -> tuple[Field, ...]:
    """An F16 whose upper byte is given: sign, exponent, two bits of the significand; ``signed``: of either sign."""
    return (Field(at + 1, _table([high, high | 0x80] if signed else [high])),)


def _table(values: Iterable[int]) -> bytes:
    """A table of 256 in which each value is as likely as the next."""
    listed = list(values)
    return bytes(listed[index * len(listed) // 256] for index in range(256))


def _gaussian(code: str) -> list[int]:
    """The last byte, which holds sign and exponent, of 256 equally likely numbers of a normal distribution."""
    from statistics import NormalDist  # only here: it takes 10 ms to import

    normal = NormalDist(0, DEVIATION)
    return [pack(code, normal.inv_cdf((index + 0.5) / 256))[-1] for index in range(256)]
