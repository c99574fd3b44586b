"""LoRA adapters: pairs of narrow matrices beside the model's own.

Follows ``llama_adapter_lora_init_impl`` in src/llama-adapter.cpp (llama.cpp 0c1e57098): the pairs are read into buffers
of their own and never mapped; norms in the file are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from memfit.errors import Malformed
from memfit.model.shape import Tensor

ALIGNMENT_BYTES = 32  # TENSOR_ALIGNMENT, ggml/src/ggml-impl.h
_HALVES = (".lora_a", ".lora_b")
_NORM = "_norm.weight"


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """What is added to one matrix of the model.

    Attributes:
        target: that matrix.
        rank: numbers between the two.
        bytes: both, padded as the engine places them.
    """

    target: str
    rank: int
    bytes: int


def pairs(tensors: Iterable[Tensor], *, file: str | None = None) -> tuple[Pair, ...]:
    """The pairs of an adapter, by the matrix they change.

    Raises:
        Malformed: half a pair, halves that do not fit together, or a tensor that is neither half nor norm.
    """
    halves: dict[str, dict[str, Tensor]] = {}
    for tensor in tensors:
        target, dot, half = tensor.name.rpartition(".")
        if dot + half in _HALVES:
            halves.setdefault(target, {})[half] = tensor
        elif not tensor.name.endswith(_NORM):
            raise Malformed(f"tensor {tensor.name!r} is no part of a LoRA adapter", file=file)
    if not halves:
        raise Malformed("no LoRA pair", file=file, hint="this adapter would change nothing")
    return tuple(_pair(target, halves[target], file) for target in sorted(halves))


def _pair(target: str, halves: dict[str, Tensor], file: str | None) -> Pair:
    if len(halves) != len(_HALVES):
        raise Malformed(f"only {next(iter(halves))} of the pair for {target!r}", file=file)
    first, second = halves["lora_a"], halves["lora_b"]
    # the embedding's pair is the other way round: its rows are looked up and not multiplied
    turned = target.endswith("token_embd.weight")
    ranks = (first.dims[0], second.dims[0]) if turned else (_at(first.dims, 1), second.dims[0])
    if ranks[0] != ranks[1]:
        raise Malformed(f"the pair for {target!r} does not fit together: ranks {ranks[0]} and {ranks[1]}", file=file)
    return Pair(target=target, rank=ranks[0], bytes=_padded(first.bytes) + _padded(second.bytes))


def adapter_bytes(tensors: Iterable[Tensor], *, file: str | None = None) -> int:
    """Bytes of the buffers that an adapter takes on the CPU, exact.

    Raises:
        Malformed: as ``pairs``.
    """
    return sum(pair.bytes for pair in pairs(tensors, file=file))


def _at(dims: tuple[int, ...], index: int) -> int:
    return dims[index] if index < len(dims) else 1


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
