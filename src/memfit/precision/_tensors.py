"""What the engine's quantizer reads out of a tensor's name: its part, its layer, and whether it is quantized at all.

Source: llama.cpp src/llama-quant.cpp, ``tensor_get_category`` and ``tensor_allows_quantization``, and
src/llama-model-loader.h, ``weight_name_comparer`` (0c1e57098).
"""

from __future__ import annotations

import re

from memfit.precision._preset import Part

# in the engine's order: "ffn_gate" also names ffn_gate_exps, "attn_v.weight" also a cross-attention's
_PARTS: tuple[tuple[str, Part], ...] = (
    ("attn_qkv.weight", "attention_v"),
    ("attn_kv_b.weight", "attention_v"),
    ("attn_v.weight", "attention_v"),
    ("attn_k.weight", "attention_k"),
    ("attn_q.weight", "attention_q"),
    ("attn_output.weight", "attention_output"),
    ("ffn_up", "ffn_up"),
    ("ffn_gate", "ffn_gate"),
    ("ffn_down", "ffn_down"),
)

_KEPT_NAMES = ("position_embd.weight", "token_types.weight")

_KEPT = (
    "_norm.weight",
    # routing of tokens to experts
    "ffn_gate_inp.weight",
    "ffn_gate_tid2eid.weight",
    # small ones of Gemma 3n
    "altup",
    "laurel",
    "per_layer_model_proj",
    # convolutions of recurrent layers
    "ssm_conv1d",
    "shortconv.conv.weight",
    # index of sparse attention
    "indexer.k_proj.weight",
    "indexer.q_proj.weight",
    # small tables of RWKV
    "time_mix_first.weight",
    "time_mix_w0.weight",
    "time_mix_w1.weight",
    "time_mix_w2.weight",
    "time_mix_v0.weight",
    "time_mix_v1.weight",
    "time_mix_v2.weight",
    "time_mix_a0.weight",
    "time_mix_a1.weight",
    "time_mix_a2.weight",
    "time_mix_g1.weight",
    "time_mix_g2.weight",
    "time_mix_decay_w1.weight",
    "time_mix_decay_w2.weight",
    "time_mix_lerp_fused.weight",
    # relative positions of T5
    "attn_rel_b.weight",
    # projectors
    ".position_embd",
    "sam.pos_embd",
    "sam.neck.",
    "sam.net_",
    ".rel_pos",
    ".patch_embd",
    ".patch_merger",
    # audio codebooks
    "a.rvq.codebook",
    "mm.a.code_embd",
)

_KEPT_GLM5_NEXT = (
    "hc_",
    "indexer.attn_q_b",
    "indexer.attn_k",
    "indexer.proj",
    "indexer_compressor_gate",
    "indexer_compressor_ape",
    "ssm_f_a.weight",
    "ssm_f_b.weight",
    "ssm_g_a.weight",
    "ssm_g_b.weight",
    "ssm_beta.weight",
    "attn_kv_a_mqa.weight",
    "attn_k_b.weight",
    "attn_v_b.weight",
)

_EIGHT_BITS_GLM5_NEXT = ("attn_q_a", "attn_q_b", "nextn.eh_proj")

_BLOCK = re.compile(r"blk\.([+-]?\d+)")


def part_of(name: str) -> Part:
    """The part of a model that a tensor belongs to."""
    if name == "output.weight":
        return "output"
    if name in ("token_embd.weight", "per_layer_token_embd.weight"):
        return "embedding"
    return next((part for text, part in _PARTS if text in name), "other")


def block_of(name: str) -> int | None:
    """The number of the layer in the name, None for tensors outside ``blk.N``."""
    match = _BLOCK.match(name)
    return int(match.group(1)) if match else None


def engine_order(name: str) -> tuple[int, str]:
    """Sorts tensors as the engine walks them: those outside layers first, then layer by layer, by name in each."""
    block = block_of(name)
    return (-1 if block is None else block, name)


def is_quantized(name: str, dims: tuple[int, ...], architecture: str) -> bool:
    """Whether the quantizer changes this tensor's format at all; norms, biases and small tables keep theirs."""
    if all(size == 1 for size in dims[1:]) or not name.endswith("weight") or name in _KEPT_NAMES:
        return False
    if architecture == "glm5-next" and _holds(name, _KEPT_GLM5_NEXT):
        return False
    return not _holds(name, _KEPT)


def keeps_eight_bits(name: str, architecture: str) -> bool:
    """Whether the engine refuses to store this tensor below Q8_0, whatever the preset."""
    return architecture == "glm5-next" and _holds(name, _EIGHT_BITS_GLM5_NEXT)


def _holds(name: str, texts: tuple[str, ...]) -> bool:
    return any(text in name for text in texts)
