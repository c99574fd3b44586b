"""Which weights llama.cpp rearranges for a CPU: a second buffer that holds their only fast copy.

A rule table and not a question to the engine, because the engine answers for the CPU it runs on, and a Jetson's
rearranges other formats. Rules: ``ggml_repack_get_optimal_repack_type`` and ``supports_op`` in
ggml/src/ggml-cpu/repack.cpp; ``supports_op`` and ``ggml_backend_amx_get_alloc_size`` in ggml/src/ggml-cpu/amx; the
operation of each tensor: ``LLM_TENSOR_INFOS`` in src/llama-arch.cpp (0c1e57098).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memfit.model.shape import Tensor
from memfit.precision.formats import FORMATS

_AVX2 = {"Q4_0": 8, "Q4_K": 8, "IQ4_NL": 8, "MXFP4": 8}
_NEON = {"Q4_0": 4, "Q4_K": 8, "Q5_K": 8, "Q6_K": 8, "IQ4_NL": 4, "MXFP4": 4, "Q8_0": 4, "Q1_0": 4}
_NEON_I8MM = {"Q4_0": 4, "Q4_K": 8, "Q5_K": 8, "Q6_K": 8, "Q8_0": 4, "Q1_0": 4}

# A processor with tile registers is asked first, and takes plain matrices in these formats: format to what the rows'
# length must be a multiple of. It takes F16 as well, which it copies as it is
_AMX = {"Q4_0": 32, "Q4_1": 32, "Q8_0": 32, "Q4_K": 256, "Q5_K": 256, "Q6_K": 256, "IQ4_XS": 256, "F16": 16}
_AMX_ROWS = 32  # 2 × TILE_N, ggml/src/ggml-cpu/amx/common.h
# bytes a block takes beside its own in the tiles: sums for signed numbers, scales unpacked (get_row_size, amx/mmq.cpp)
_AMX_BESIDE_BLOCK = {"Q8_0": 4, "Q4_K": 4, "Q5_K": 4, "IQ4_XS": 2}

# Tensors looked up, added or multiplied, never the left side of a matrix product
_NOT_MULTIPLIED = ("token_embd", "per_layer_token_embd", "position_embd", "token_types", "attn_rel_b")


def row_multiples(instructions: Iterable[str]) -> dict[str, int]:
    """Format to the number that the rows of a tensor must be a multiple of, for a CPU with these instructions.

    ``instructions`` are names as the engine prints them in lower case: ``avx2``, ``avx512``, ``neon``, ``dotprod``,
    ``matmul_int8``. A CPU with none of them rearranges nothing.
    """
    have = {name.lower() for name in instructions}
    rules: dict[str, int] = {}
    if "avx2" in have:
        rules.update(_AVX2)
    if "avx512" in have:
        rules["Q2_K"] = 8
    if {"neon", "dotprod"} <= have:
        rules.update(_NEON)
    if {"neon", "matmul_int8"} <= have:
        rules.update(_NEON_I8MM)
    return rules


def repacked(tensors: Iterable[Tensor], instructions: Iterable[str], *, tied: bool) -> Iterator[Tensor]:
    """The tensors that get a rearranged copy, the tied output matrix (a copy of the embedding) included."""
    have = {name.lower() for name in instructions}
    rules = row_multiples(have)
    if not rules:
        return
    tiles = _has_tiles(have)
    for tensor in tensors:
        if tied and tensor.name == "token_embd.weight":
            fits = _fits(tensor, rules) or (tiles and _fits_tiles(tensor))
        else:
            fits = (_fits(tensor, rules) and multiplied(tensor)) or (tiles and _in_tiles(tensor))
        if fits:
            yield tensor


def copies_bytes(tensors: Iterable[Tensor], instructions: Iterable[str], *, alignment: int) -> int:
    """What the rearranged copies of these tensors take, each ``alignment`` bytes or a multiple of it."""
    tiles = _has_tiles({name.lower() for name in instructions})
    return sum(-(-(_tile_bytes(each) if tiles else each.bytes) // alignment) * alignment for each in tensors)


def _tile_bytes(tensor: Tensor) -> int:
    """Its own size where it is not in tiles."""
    if not _fits_tiles(tensor) or tensor.format == "F16":
        return tensor.bytes
    if tensor.name != "token_embd.weight" and not _in_tiles(tensor):
        return tensor.bytes
    blocks = tensor.dims[0] // FORMATS.get(tensor.format).block_elements
    row = FORMATS.get(tensor.format).row_bytes(tensor.dims[0]) + blocks * _AMX_BESIDE_BLOCK.get(tensor.format, 0)
    return row * tensor.dims[1]  # the engine counts one matrix, whatever the number of a stack


def _has_tiles(have: set[str]) -> bool:
    return {"amx_int8", "avx512_vnni"} <= have


def _in_tiles(tensor: Tensor) -> bool:
    """Whether a tensor is the left side of a plain product, a stack of matrices included, and fits into tiles."""
    return _fits_tiles(tensor) and _is_matrix(tensor) and not _stem(tensor).endswith(("_exps", "_chexps"))


def _fits_tiles(tensor: Tensor) -> bool:
    multiple = _AMX.get(tensor.format)
    if multiple is None or len(tensor.dims) < 2:
        return False
    return tensor.dims[0] % multiple == 0 and tensor.dims[1] % _AMX_ROWS == 0


def _fits(tensor: Tensor, rules: dict[str, int]) -> bool:
    multiple = rules.get(tensor.format)
    return multiple is not None and len(tensor.dims) > 1 and tensor.dims[1] % multiple == 0


def multiplied(tensor: Tensor) -> bool:
    """Whether a tensor is the left side of a matrix product, and not looked up, added or scaled."""
    # experts are multiplied as a stack of three sides; everything else as a plain matrix
    return _is_matrix(tensor) and _sides(tensor) == (3 if _stem(tensor).endswith(("_exps", "_chexps")) else 2)


def _is_matrix(tensor: Tensor) -> bool:
    stem = _stem(tensor)
    return tensor.name.endswith(".weight") and stem not in _NOT_MULTIPLIED and "norm" not in stem and _sides(tensor) > 1


def _stem(tensor: Tensor) -> str:
    return tensor.name.rsplit(".", 1)[0].rsplit(".", 1)[-1]


def _sides(tensor: Tensor) -> int:
    sides = len(tensor.dims)
    while sides > 1 and tensor.dims[sides - 1] == 1:
        sides -= 1
    return sides
