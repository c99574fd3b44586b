"""The network of a llama-like model in PyTorch, computed from tensors with their GGUF names and layouts.

The same graph as llama.cpp's ``src/models/llama.cpp``, ``qwen2.cpp`` and ``qwen3.cpp`` (0c1e57098): tests hold its
predictions against the engine's. A file that asks for anything else is refused by what it asks for, so that nothing is
trained against a network that no engine runs.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import torch
import torch.nn.functional as F  # noqa: N812  (torch's own spelling)

from memfit.model.gguf import Header
from memfit.search.network import Shape, read_shape

Weights = Mapping[str, torch.Tensor]
"""By GGUF name; matrices as (rows, columns), which is what GGUF lists the other way round."""


class Network(Shape, frozen=True, kw_only=True):
    """The network of a shape."""

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
        if self.neox:
            cos, sin = torch.cat([cos, cos], -1), torch.cat([-sin, sin], -1)
            crossed = turning.roll(self.rope_channels // 2, -1)
        else:
            cos, sin = cos.repeat_interleave(2, -1), torch.stack([-sin, sin], -1).flatten(-2)
            crossed = turning.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
        # whole rows at once: half of the time of one product for each half of them
        whole = turning * cos + crossed * sin
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
        UsageError, Malformed: as ``read_shape``.
    """
    return Network(**msgspec.structs.asdict(read_shape(header)))
