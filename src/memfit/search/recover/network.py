"""The network of a llama-like model in PyTorch, computed from tensors with their GGUF names and layouts.

The same graph as llama.cpp's ``src/models/llama.cpp``, ``qwen2.cpp`` and ``qwen3.cpp`` (0c1e57098): tests hold its
predictions against the engine's. A file that asks for anything else is refused by what it asks for, so that nothing is
trained against a network that no engine runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
import torch
import torch.nn.functional as F  # noqa: N812  (torch's own spelling)

from memfit.errors import UsageError
from memfit.model.gguf import Header
from memfit.model.metadata import Metadata

Weights = Mapping[str, torch.Tensor]
"""By GGUF name; matrices as (rows, columns), which is what GGUF lists the other way round."""

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


class Network(msgspec.Struct, frozen=True, kw_only=True):
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

    def hidden(self, weights: Weights, ids: torch.Tensor) -> torch.Tensor:
        """What the head reads behind each of ``ids`` (windows, tokens): (windows, tokens, width)."""
        x = F.embedding(ids, weights["token_embd.weight"])
        turn = self._rotation(weights, ids.shape[1], ids.device)
        for layer in range(self.layers):
            x = self._layer(weights, f"blk.{layer}.", x, turn)
        return self._norm(x, weights["output_norm.weight"])

    def logits(self, weights: Weights, hidden: torch.Tensor) -> torch.Tensor:
        """Logits of the next token from ``hidden`` (..., width): (..., vocabulary), in float32."""
        head = weights.get("output.weight", weights["token_embd.weight"])
        return F.linear(hidden, head, weights.get("output.bias")).float()

    def _layer(self, weights: Weights, of: str, x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        def times(name: str, y: torch.Tensor) -> torch.Tensor:
            return F.linear(y, weights[f"{of}{name}.weight"], weights.get(f"{of}{name}.bias"))

        def heads(name: str, y: torch.Tensor, count: int) -> torch.Tensor:
            """(windows, heads, tokens, channels), normed where the architecture does so."""
            split = times(name, y).unflatten(-1, (count, -1))
            scale = weights.get(f"{of}{name}_norm.weight")
            return (split if scale is None else self._norm(split, scale)).transpose(1, 2)

        y = self._norm(x, weights[of + "attn_norm.weight"])
        q = self._turned(heads("attn_q", y, self.heads), turn)
        k = self._turned(heads("attn_k", y, self.kv_heads), turn)
        y = self._attended(q, k, heads("attn_v", y, self.kv_heads))
        x = x + times("attn_output", y.transpose(1, 2).flatten(2))
        y = self._norm(x, weights[of + "ffn_norm.weight"])
        return x + times("ffn_down", F.silu(times("ffn_gate", y)) * times("ffn_up", y))

    def _norm(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, (x.shape[-1],), scale.to(x.dtype), self.epsilon)

    def _rotation(self, weights: Weights, tokens: int, device: torch.device) -> torch.Tensor:
        """Cosines and sines, (2, tokens, rope_channels / 2); factors, as Llama 3.1 has them, divide frequencies."""
        pairs = torch.arange(0, self.rope_channels, 2, dtype=torch.float32, device=device)
        frequency = self.rope_base ** (-pairs / self.rope_channels)
        if "rope_freqs.weight" in weights:
            frequency = frequency / weights["rope_freqs.weight"]
        angle = torch.outer(torch.arange(tokens, dtype=torch.float32, device=device), frequency)
        return torch.stack([angle.cos(), angle.sin()])

    def _turned(self, x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        """Turn channels of (windows, heads, tokens, channels) by the angle of their position; those beyond stay."""
        cos, sin = turn.to(x.dtype)
        turning, rest = x[..., : self.rope_channels], x[..., self.rope_channels :]
        one, other = turning.chunk(2, -1) if self.neox else (turning[..., 0::2], turning[..., 1::2])
        turned = one * cos - other * sin, one * sin + other * cos
        whole = torch.cat(turned, -1) if self.neox else torch.stack(turned, -1).flatten(-2)
        return torch.cat([whole, rest], -1) if rest.shape[-1] else whole

    def _attended(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Causal attention, (windows, heads, tokens, value_length)."""
        if q.is_cuda:
            k, v = (one.repeat_interleave(self.heads // self.kv_heads, 1) for one in (k, v))
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        # plain products: on a CPU they take half the time of the fused ones at the sizes that are trained there
        windows, _, tokens, _ = q.shape
        stacked = q.reshape(windows, self.kv_heads, -1, self.key_length)
        future = torch.full((tokens, tokens), -torch.inf, dtype=q.dtype).triu(1)
        scores = (stacked @ k.transpose(2, 3)).unflatten(2, (-1, tokens)) * self.key_length**-0.5 + future
        return (scores.softmax(-1).flatten(2, 3) @ v).reshape(windows, self.heads, tokens, self.value_length)


def read_network(header: Header) -> Network:
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
    return Network(
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
