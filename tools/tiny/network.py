"""The network: a llama decoder, its tensors named as GGUF names them and laid out as llama.cpp reads them.

Parameters are a plain mapping from GGUF tensor name to tensor, so the export copies and never renames or permutes:
the rotary embedding turns neighbouring channels (2i, 2i + 1), which is what llama.cpp applies to this architecture
(``LLAMA_ROPE_TYPE_NORM``, src/llama-model.cpp, commit 0c1e57098).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  (torch's own spelling)

Parameters = dict[str, torch.Tensor]
Watch = Callable[[str, torch.Tensor], None]
"""Called with a weight's name and the (batch, length, row) activations it multiplies."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the network; every length of a matrix row is a multiple of 256, the super-block of the K-quants."""

    n_vocab: int
    n_layer: int = 5
    n_embd: int = 256
    n_head: int = 4
    n_head_kv: int = 2
    n_ff: int = 768
    n_ctx_train: int = 2048
    rope_base: float = 10000.0
    rms_epsilon: float = 1e-5

    @property
    def head_size(self) -> int:
        """Channels of one attention head."""
        return self.n_embd // self.n_head

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor, rows first as torch holds them (GGUF lists the row length first)."""
        kv = self.n_head_kv * self.head_size
        shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (self.n_vocab, self.n_embd)}
        for layer in range(self.n_layer):
            of_layer: dict[str, tuple[int, ...]] = {
                "attn_norm": (self.n_embd,),
                "attn_q": (self.n_embd, self.n_embd),
                "attn_k": (kv, self.n_embd),
                "attn_v": (kv, self.n_embd),
                "attn_output": (self.n_embd, self.n_embd),
                "ffn_norm": (self.n_embd,),
                "ffn_gate": (self.n_ff, self.n_embd),
                "ffn_up": (self.n_ff, self.n_embd),
                "ffn_down": (self.n_embd, self.n_ff),
            }
            shapes |= {f"blk.{layer}.{name}.weight": shape for name, shape in of_layer.items()}
        return shapes | {"output_norm.weight": (self.n_embd,), "output.weight": (self.n_vocab, self.n_embd)}


def initialise(sizes: Sizes, seed: int) -> Parameters:
    """Norms at one; matrices normal, those that write into the residual stream scaled down with its depth (GPT-2)."""
    generator = torch.Generator().manual_seed(seed)
    parameters = {}
    for name, shape in sizes.shapes().items():
        if len(shape) == 1:
            tensor = torch.ones(shape)
        else:
            tensor = torch.randn(shape, generator=generator) * (
                0.5 if name == "token_embd.weight" else shape[1] ** -0.5
            )
            if name.endswith(("attn_output.weight", "ffn_down.weight")):
                tensor *= (2 * sizes.n_layer) ** -0.5
        parameters[name] = tensor.requires_grad_()
    return parameters


def rotation(sizes: Sizes, length: int) -> torch.Tensor:
    """Cosines and sines of the rotary embedding, (2, length, head_size / 2)."""
    frequency = sizes.rope_base ** (-torch.arange(0, sizes.head_size, 2) / sizes.head_size)
    angle = torch.outer(torch.arange(length, dtype=torch.float32), frequency)
    return torch.stack([angle.cos(), angle.sin()])


def logits(
    p: Parameters, sizes: Sizes, ids: torch.Tensor, turn: torch.Tensor, watch: Watch | None = None
) -> torch.Tensor:
    """Logits (batch, length, n_vocab) of the next token after each of ``ids`` (batch, length).

    Args:
        p: parameters by GGUF name.
        sizes: sizes of the network.
        ids: token ids.
        turn: ``rotation(sizes, length)``.
        watch: sees the input of every matrix product, to gather importances.
    """

    def times(weight: str, x: torch.Tensor) -> torch.Tensor:
        if watch:
            watch(weight, x)
        return F.linear(x, p[weight])

    def norm(weight: str, x: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, (sizes.n_embd,), p[weight], sizes.rms_epsilon)

    def heads(x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (-1, sizes.head_size)).transpose(1, 2)

    x = F.embedding(ids, p["token_embd.weight"])
    for layer in range(sizes.n_layer):
        of = f"blk.{layer}."
        y = norm(of + "attn_norm.weight", x)
        q, k = (_turned(heads(times(of + name, y)), turn) for name in ("attn_q.weight", "attn_k.weight"))
        y = _attended(q, k, heads(times(of + "attn_v.weight", y)))
        x = x + times(of + "attn_output.weight", y.transpose(1, 2).flatten(2))
        y = norm(of + "ffn_norm.weight", x)
        y = F.silu(times(of + "ffn_gate.weight", y)) * times(of + "ffn_up.weight", y)
        x = x + times(of + "ffn_down.weight", y)
    return times("output.weight", norm("output_norm.weight", x))


def _turned(x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Rotate neighbouring channels of (batch, head, length, head_size) by the angle of their position."""
    cos, sin = turn.to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def _attended(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Causal attention with the query heads of one key head stacked, (batch, head, length, head_size).

    Plain matrix products: on a CPU they take half the time of ``scaled_dot_product_attention`` at this size.
    """
    batch, head, length, size = q.shape
    stacked = q.reshape(batch, k.shape[1], -1, size)
    future = torch.full((length, length), -torch.inf, dtype=q.dtype).triu(1)
    scores = (stacked @ k.transpose(2, 3)).unflatten(2, (-1, length)) * size**-0.5 + future
    return (scores.softmax(-1).flatten(2, 3) @ v).reshape(batch, head, length, size)
