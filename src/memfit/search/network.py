"""What a llama-like model is besides its weights, read from its file: for passes that memfit computes itself.

A file that asks for anything that the networks here have not is refused by what it asks for, so that nothing is learned
from a network that no engine runs.
"""

from __future__ import annotations

import re

import msgspec

from memfit.errors import UsageError
from memfit.model.gguf import Header
from memfit.model.metadata import Metadata

# whether channels turn with the one half a head away (LLAMA_ROPE_TYPE_NEOX) or with their neighbour (_NORM):
# llama_model_rope_type, src/llama-model.cpp (0c1e57098)
NEOX = {"llama": False, "qwen2": True, "qwen3": True}
_OF_LAYER = (
    "attn_norm.weight", "attn_q_norm.weight", "attn_k_norm.weight", "ffn_norm.weight",
    *(f"{part}.{kind}" for part in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
      for kind in ("weight", "bias")),
)  # fmt: skip
_ENDS = ("token_embd.weight", "output_norm.weight", "output.weight", "output.bias", "rope_freqs.weight")
_BLOCK = re.compile(r"blk\.(\d+)\.(.+)")
_HINT = "leave --recover out: the search itself works with every architecture"


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What of a model is not in its weights.

    Attributes:
        width: channels of the residual stream; ``vocabulary_tokens`` rows of the head.
        heads, kv_heads: of queries, and of keys and values.
        key_length, value_length: channels of a head.
        rope_channels: of them that turn with the position, by ``rope_base``; ``neox`` with which other.
        epsilon: of the norms.
        feed_forward: inner width of the feed-forward.
    """

    layers: int
    width: int
    vocabulary_tokens: int
    heads: int
    kv_heads: int
    key_length: int
    value_length: int
    rope_channels: int
    rope_base: float
    neox: bool
    epsilon: float
    feed_forward: int


def read_shape(header: Header) -> Shape:
    """The network of a file.

    Raises:
        UsageError: it is none that can be trained here; says what it asks for.
        Malformed: a size is missing, or contradicts another.
    """
    name = header.architecture
    if name not in NEOX:
        raise UsageError(f"{header.path}: {name} cannot be recovered, only {', '.join(NEOX)} can", hint=_HINT)
    meta = Metadata(name, header.metadata, file=header.path)
    _refuse(meta, header)
    width = meta.integer("embedding_length", least=1)
    heads = meta.integer("attention.head_count", least=1)
    key_length = meta.integer("attention.key_length", width // heads, least=1)
    dims = {tensor.name: tensor.dims for tensor in header.tensors}
    return Shape(
        layers=meta.integer("block_count", least=1),
        width=width,
        vocabulary_tokens=dims["token_embd.weight"][1],
        heads=heads,
        kv_heads=meta.integer("attention.head_count_kv", heads, least=1),
        key_length=key_length,
        value_length=meta.integer("attention.value_length", width // heads, least=1),
        rope_channels=meta.integer("rope.dimension_count", key_length, least=2),
        rope_base=_real(meta, "rope.freq_base", 10000.0),
        neox=NEOX[name],
        epsilon=_real(meta, "attention.layer_norm_rms_epsilon", 1e-5),
        feed_forward=meta.integer("feed_forward_length", least=1),
    )


def _real(meta: Metadata, key: str, default: float) -> float:
    value = meta.values.get(f"{meta.architecture}.{key}", default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise meta.malformed(key, f"is {value!r}, no number")
    return float(value)


def _refuse(meta: Metadata, header: Header) -> None:
    def refusal(what: str) -> UsageError:
        return UsageError(f"{header.path} cannot be recovered: {what}", hint=_HINT)

    if meta.has("expert_count") and meta.integer("expert_count"):
        raise refusal("it is a mixture of experts")
    scaling = meta.values.get(f"{meta.architecture}.rope.scaling.type", "none")
    if scaling != "none" or _real(meta, "rope.scale_linear", 1.0) != 1.0:
        raise refusal(f"its rotary embedding is scaled ({scaling})")
    for key in ("attention.head_count", "attention.head_count_kv", "feed_forward_length"):
        if meta.is_array(key):
            raise refusal(f"its layers differ in {key}")
    names = {tensor.name for tensor in header.tensors}
    for name in sorted(names):
        block = _BLOCK.fullmatch(name)
        if name not in _ENDS and (block is None or block[2] not in _OF_LAYER):
            raise refusal(f"it has a tensor {name}, which the network here has not")
    layers = meta.integer("block_count", least=1)
    beyond = [name for name in names if (block := _BLOCK.fullmatch(name)) and int(block[1]) >= layers]
    if beyond:
        raise refusal(f"{min(beyond)} belongs to none of its {layers} layers")
    needed = [f"blk.{layer}.{part}" for layer in range(layers) for part in _OF_LAYER if _always(part)]
    missing = [name for name in ("token_embd.weight", "output_norm.weight", *needed) if name not in names]
    if missing:
        raise refusal(f"it has no tensor {missing[0]}")


def _always(part: str) -> bool:
    return part.endswith(".weight") and part not in ("attn_q_norm.weight", "attn_k_norm.weight")
