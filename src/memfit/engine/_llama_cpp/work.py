"""The CPU backend's work buffer without the engine: scratch memory of the graph's hungriest operation.

``ggml_graph_plan`` in ggml/src/ggml-cpu/ggml-cpu.c (llama.cpp 0c1e57098). It holds the right side of a matrix product
converted to the type that the left side's format is multiplied with, so it depends on the weights' formats, on whether
they are rearranged, and on the CPU (``tiled`` kernels exist for AVX).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from memfit.engine._llama_cpp.assembly import Assembly, assemble
from memfit.engine._llama_cpp.compute import Estimate
from memfit.engine._llama_cpp.graphs import evaluate, parse
from memfit.engine._llama_cpp.repack import repacked
from memfit.engine._llama_cpp.settings import resolve
from memfit.engine.records import Options
from memfit.model.shape import ModelShape
from memfit.precision.formats import FORMATS

CACHE_LINE_BYTES = 64  # CACHE_LINE_SIZE
ATTENTION_TILE = 64  # GGML_FA_TILE_Q, GGML_FA_TILE_KV, ggml/src/ggml-cpu/common.h
TILED_SLOT_BYTES = 512 * 1024  # TILED_WS_SLOT, ggml/src/ggml-cpu/tiled/tiled-kernel.h
F32_BYTES, POINTER_BYTES = 4, 8

# ggml type numbers of computed tensors (ggml/include/ggml.h)
_COMPUTED = {":0": "F32", ":1": "F16", ":30": "BF16"}
# type_traits_cpu[...].vec_dot_type: floats multiply with themselves, blocks of 32 with Q8_0 or Q8_1, of 256 with Q8_K
_Q8_1 = frozenset({"Q4_1", "Q5_1", "Q8_1"})
# ggml_tiled_supported, ggml/src/ggml-cpu/tiled/tiled.cpp
_TILED = frozenset(
    {
        "Q6_K",
        "Q5_K",
        "Q4_K",
        "Q3_K",
        "Q2_K",
        "IQ4_XS",
        "IQ3_XXS",
        "IQ3_S",
        "IQ2_XXS",
        "IQ2_XS",
        "IQ2_S",
        "IQ1_S",
        "IQ1_M",
    }
)
_TILED_INSTRUCTIONS = frozenset({"avx", "avx2", "avx512", "avx512_vnni"})


class _Weights(msgspec.Struct, frozen=True):
    """Formats of the weights by name, and which of them are rearranged."""

    formats: Mapping[str, str]
    rearranged: frozenset[str]
    tiled: bool
    options: Options


def work_bytes(shape: ModelShape, options: Options, *, threads: int, instructions: Iterable[str] = ()) -> Estimate:
    """The work buffer of one full ubatch on ``threads`` threads.

    Args:
        shape: the model with its tensors; without them F16 weights are assumed and the bounds say so.
        options: the context.
        threads: of the CPU backend, at least 1.
        instructions: the CPU's extensions as the engine prints them in lower case.

    Raises:
        UsageError: options that the engine refuses.
    """
    settings = resolve(shape, options)
    assembly = assemble(shape, options, settings)
    if assembly is None:
        # a product with the widest layer's numbers in F32 is more than any format of its right side takes
        widest = max((layer.feed_forward_length for layer in shape.trunk), default=0)
        size = F32_BYTES * max(widest, 4 * shape.embedding_length) * settings.ubatch_tokens
        error = f"no graph of {shape.architecture} was traced; a product with the widest layer"
        return Estimate(
            low_bytes=size // 16, likely_bytes=size // 4, high_bytes=2 * size, source="formula", error=error
        )
    weights = _weights(shape, options, instructions)
    size = _largest(assembly, weights, max(1, threads))
    if size:
        size += CACHE_LINE_BYTES * max(1, threads)
    if assembly.doubts or not shape.tensors:
        why = "; ".join((*assembly.doubts, *(() if shape.tensors else ("weights taken as F16",))))
        return Estimate(
            low_bytes=size // 2, likely_bytes=size, high_bytes=2 * size + 2**20, source="coefficients", error=why
        )
    return Estimate(
        low_bytes=size,
        likely_bytes=size,
        high_bytes=size,
        source="coefficients",
        error=f"traced from {assembly.graphs.engine}; formats from the model",
    )


def _weights(shape: ModelShape, options: Options, instructions: Iterable[str]) -> _Weights:
    have = frozenset(name.lower() for name in instructions)
    rearranged = repacked(shape.tensors, have, tied=shape.tied_embeddings) if options.repack else ()
    return _Weights(
        formats={tensor.name: tensor.format for tensor in shape.tensors},
        rearranged=frozenset(tensor.name for tensor in rearranged),
        tiled=bool(have & _TILED_INSTRUCTIONS),
        options=options,
    )


def _largest(assembly: Assembly, weights: _Weights, threads: int) -> int:
    graphs = assembly.graphs
    largest = 0
    known: dict[tuple[int, int, tuple[str, ...]], int] = {}
    for layer, (number, values) in enumerate(zip(assembly.numbers, assembly.values, strict=True), start=-1):
        for item in graphs.work_lists[graphs.segments[number].work]:
            operation, source, *sizes = graphs.work[item].split(" ")
            name, format_name = _left_side(source, layer, weights)
            key = (item, id(values), (format_name, str(name in weights.rearranged)))
            if key not in known:
                numbers = [evaluate(parse(size), values) for size in sizes]
                known[key] = _scratch(
                    operation, numbers, format_name, name in weights.rearranged, weights.tiled, threads
                )
            largest = max(largest, known[key])
    return largest


def _left_side(source: str, layer: int, weights: _Weights) -> tuple[str, str]:
    """Name and format of the left side of a product: a weight, the K or V cache, or something computed."""
    if source in _COMPUTED:
        return source, _COMPUTED[source]
    if source in ("K", "V"):
        return source, weights.options.kv_type_k if source == "K" else weights.options.kv_type_v
    for name in (f"blk.{layer}.{source}", source, "token_embd.weight" if source == "output.weight" else source):
        if name in weights.formats:
            return name, weights.formats[name]
    return source, "F16"


def _scratch(operation: str, sizes: list[int], format_name: str, rearranged: bool, tiled: bool, threads: int) -> int:
    if operation == "MUL_MAT":
        return _product(sizes[0], format_name, rearranged, tiled, threads)
    if operation == "MUL_MAT_ID":
        return _expert_product(sizes, format_name, rearranged, tiled, threads)
    if operation == "FLASH_ATTN_EXT":
        return _attention(sizes, threads)
    if operation == "GATED_DELTA_NET":
        width, snapshots = sizes
        return F32_BYTES * threads * (width + (width * width if snapshots > 1 else 0))
    return F32_BYTES * threads * sizes[0]  # one row a thread: SOFT_MAX, ROPE, TOP_K, LIGHTNING_INDEXER, CPY


def _product(elements: int, format_name: str, rearranged: bool, tiled: bool, threads: int) -> int:
    right = _right_type(format_name)
    if rearranged:  # in tiles, F16 is multiplied with F32 as it is
        return 0 if right == "F16" else FORMATS.get(right).row_bytes(elements)
    converted = 0 if right == "F32" else FORMATS.get(right).row_bytes(elements)
    return _padded(converted) + _tiles(format_name, tiled, threads)


def _expert_product(sizes: list[int], format_name: str, rearranged: bool, tiled: bool, threads: int) -> int:
    elements, experts, chosen, tokens = sizes
    right = _right_type(format_name)
    if rearranged:
        converted = -(-FORMATS.get(right).row_bytes(elements) // POINTER_BYTES) * POINTER_BYTES
        return converted + POINTER_BYTES * experts * (tokens + 1)
    size = 0 if right == "F32" else FORMATS.get(right).row_bytes(elements) + POINTER_BYTES
    size += (experts + 1) * POINTER_BYTES  # rows of each expert
    size += experts * chosen * tokens * POINTER_BYTES + POINTER_BYTES  # which rows
    size += CACHE_LINE_BYTES * (experts + 1)  # the chunk each expert is at
    return _padded(size) + _tiles(format_name, tiled, threads)


def _attention(sizes: list[int], threads: int) -> int:
    key, value, heads = sizes
    tile = ATTENTION_TILE
    prefill = tile * key + 2 * tile * tile + tile * value + tile * value + tile * key
    decode = heads * (2 + value) + key + 2 * value
    return F32_BYTES * threads * max(prefill, decode)


def _right_type(format_name: str) -> str:
    """What a row is converted to before it is multiplied with a matrix of this format."""
    name = format_name.upper()
    if name in ("F32", "F16", "BF16"):
        return name
    if name in _Q8_1:
        return "Q8_1"
    return "Q8_0" if FORMATS.get(name).block_elements < 256 else "Q8_K"


def _tiles(format_name: str, tiled: bool, threads: int) -> int:
    return CACHE_LINE_BYTES + threads * TILED_SLOT_BYTES if tiled and format_name.upper() in _TILED else 0


def _padded(size: int) -> int:
    return -(-size // CACHE_LINE_BYTES) * CACHE_LINE_BYTES
