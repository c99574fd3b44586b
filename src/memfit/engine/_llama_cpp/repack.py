"""Which weights llama.cpp rearranges for a CPU: a second buffer that holds their only fast copy.

A rule table and not a question to the engine, because the engine answers for the CPU it runs on, and a Jetson's
rearranges other formats. Rules: ``ggml_repack_get_optimal_repack_type`` and ``supports_op`` in
ggml/src/ggml-cpu/repack.cpp; the operation of each tensor: ``LLM_TENSOR_INFOS`` in src/llama-arch.cpp (0c1e57098).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memfit.model.shape import Tensor

_AVX2 = {"Q4_0": 8, "Q4_K": 8, "IQ4_NL": 8, "MXFP4": 8}
_NEON = {"Q4_0": 4, "Q4_K": 8, "Q5_K": 8, "Q6_K": 8, "IQ4_NL": 4, "MXFP4": 4, "Q8_0": 4, "Q1_0": 4}
_NEON_I8MM = {"Q4_0": 4, "Q4_K": 8, "Q5_K": 8, "Q6_K": 8, "Q8_0": 4, "Q1_0": 4}

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
    rules = row_multiples(instructions)
    if not rules:
        return
    for tensor in tensors:
        if _fits(tensor, rules) and (multiplied(tensor) or (tied and tensor.name == "token_embd.weight")):
            yield tensor


def _fits(tensor: Tensor, rules: dict[str, int]) -> bool:
    multiple = rules.get(tensor.format)
    return multiple is not None and len(tensor.dims) > 1 and tensor.dims[1] % multiple == 0


def multiplied(tensor: Tensor) -> bool:
    """Whether a tensor is the left side of a matrix product, and not looked up, added or scaled."""
    stem = tensor.name.rsplit(".", 1)[0].rsplit(".", 1)[-1]
    if not tensor.name.endswith(".weight") or stem in _NOT_MULTIPLIED or "norm" in stem:
        return False
    sides = _sides(tensor)
    # experts are multiplied as a stack of three sides; everything else as a plain matrix
    return sides == 3 if stem.endswith(("_exps", "_chexps")) else sides == 2


def _sides(tensor: Tensor) -> int:
    sides = len(tensor.dims)
    while sides > 1 and tensor.dims[sides - 1] == 1:
        sides -= 1
    return sides
