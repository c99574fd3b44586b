"""DRAM traffic of operations that an engine fuses into one kernel or leaves apart: reads and writes, counted out.

An access is one pass over a tensor: a kernel reads each of its inputs once and writes its output once, and what does
not stay in registers goes through DRAM. Weights of matrices are not in it, nor is the product with them: those are read
either way. The counts are those of "LLM Optimization on Jetson" (sections 4.1, 4.3 and 8.4), spelled out: RMSNorm 4
against 2, SwiGLU 6 against 2, rotary 4 against 2, add and norm 6 against 2. Of attention it says 4 times the minimum:
the scores go through DRAM four times and, fused, not at all, so the whole ratio grows with the depth.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.errors import UsageError
from memfit.model.shape import Layer, ModelShape

Operation = Literal["attention", "rms_norm", "swiglu", "rotary", "add_norm"]

ACTIVATION_BYTES = 2  # activations in 16 bits

# engines that run a model as its framework's separate operations; the others fuse, as the text says of TensorRT-LLM
# ("automatically") and llama.cpp ("many fused CUDA kernels built in", flash attention by default)
UNFUSED_ENGINES = ("pytorch",)


class Accesses(msgspec.Struct, frozen=True, kw_only=True):
    """The passes over one operation's main tensor, each kernel's reads and writes in order."""

    unfused: tuple[tuple[str, int, int], ...]
    fused: tuple[tuple[str, int, int], ...]

    @property
    def unfused_count(self) -> int:
        """Passes with a kernel for every step."""
        return sum(reads + writes for _, reads, writes in self.unfused)

    @property
    def fused_count(self) -> int:
        """Passes with one kernel."""
        return sum(reads + writes for _, reads, writes in self.fused)


# kernel, reads, writes: in passes over a tensor of (tokens x width). A projection's own output counts where fusing
# spares it, and so does what the next kernel reads
ACCESSES: dict[Operation, Accesses] = {
    # of the scores, (heads x tokens x depth): "write scores, read back, softmax, write, read back, multiply by V"
    "attention": Accesses(
        unfused=(("Q x K", 0, 1), ("softmax", 1, 1), ("scores x V", 1, 0)),
        fused=(("attention", 0, 0),),
    ),
    # "norm + scale in one kernel"
    "rms_norm": Accesses(
        unfused=(("norm", 1, 1), ("multiply by the weight", 1, 1)),
        fused=(("norm and weight", 1, 1),),
    ),
    # "gate + activation + multiply": the gate's own projection ends with the activation and the product
    "swiglu": Accesses(
        unfused=(("gate", 0, 1), ("activation", 1, 1), ("multiply with up", 2, 1)),
        fused=(("gate, activation, multiply with up", 1, 1),),
    ),
    # "position encoding + Q/K projection": up to and with what attention reads
    "rotary": Accesses(
        unfused=(("Q and K", 0, 1), ("rotate", 1, 1), ("attention", 1, 0)),
        fused=(("Q and K, rotated", 0, 1), ("attention", 1, 0)),
    ),
    # the text: three separate kernels make 6 accesses, one kernel makes 2
    "add_norm": Accesses(
        unfused=(("add", 1, 1), ("norm", 1, 1), ("multiply by the weight", 1, 1)),
        fused=(("add, norm and weight", 1, 1),),
    ),
}


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """What one operation of a whole model moves, besides the weights.

    Attributes:
        operation: which.
        times: how often it runs in the model.
        unfused_bytes, fused_bytes: over all layers, for the tokens asked for.
        how: the passes in words.
    """

    operation: Operation
    times: int
    unfused_bytes: int
    fused_bytes: int
    how: str

    @property
    def ratio(self) -> float | None:
        """How much more the unfused operation moves; None where neither moves anything."""
        return self.unfused_bytes / self.fused_bytes if self.fused_bytes else None


def traffic(shape: ModelShape, tokens: int, *, depth_tokens: int | None = None) -> tuple[Traffic, ...]:
    """The traffic of every operation for ``tokens`` tokens that stand ``depth_tokens`` deep.

    One token is decoding at that depth. A prompt's tokens see half of it on average, which is the default.

    Raises:
        UsageError: no tokens.
    """
    if tokens < 1:
        raise UsageError(f"the traffic of {tokens} tokens", hint="ask for at least one")
    depth = depth_tokens if depth_tokens is not None else tokens // 2
    attention = [layer for layer in shape.trunk if layer.attention != "none" and layer.heads]
    forward = [layer for layer in shape.trunk if _width(layer)]
    norms = 2 * len(shape.trunk) + 1
    hidden = ACTIVATION_BYTES * tokens * shape.embedding_length
    return (
        _attention(attention, shape, tokens, depth),
        _passes("rms_norm", norms, hidden * norms),
        _passes("swiglu", len(forward), sum(ACTIVATION_BYTES * tokens * _width(layer) for layer in forward)),
        _passes("rotary", len(attention), sum(ACTIVATION_BYTES * tokens * _rotated(layer) for layer in attention)),
        _passes("add_norm", 2 * len(shape.trunk), hidden * 2 * len(shape.trunk)),
    )


def unfused_extra_bytes(shape: ModelShape, tokens: int, *, depth_tokens: int | None = None) -> int:
    """What an engine that fuses nothing moves beyond one that fuses everything.

    Norms are counted once, where they follow a residual addition.
    """
    parts = traffic(shape, tokens, depth_tokens=depth_tokens)
    return sum(part.unfused_bytes - part.fused_bytes for part in parts if part.operation != "rms_norm")


def _attention(layers: list[Layer], shape: ModelShape, tokens: int, depth: int) -> Traffic:
    """Scores beside the rows of Q, K, V and the output, which both ways move once."""
    accesses = ACCESSES["attention"]
    rows, scores = 0, 0
    for layer in layers:
        seen = min(depth, shape.window_tokens) if layer.attention != "full" and shape.window_tokens else depth
        ends = tokens * layer.heads * (layer.key_length + layer.value_length)
        cached = seen * (layer.key_elements + layer.value_elements)
        rows += ACTIVATION_BYTES * (ends + cached)
        scores += ACTIVATION_BYTES * tokens * layer.heads * seen
    return Traffic(
        operation="attention",
        times=len(layers),
        unfused_bytes=rows + scores * accesses.unfused_count,
        fused_bytes=rows + scores * accesses.fused_count,
        how="Q, K, V and the output once; unfused, the scores are written, read, written and read",
    )


def _passes(operation: Operation, times: int, one_pass_bytes: int) -> Traffic:
    accesses = ACCESSES[operation]
    return Traffic(
        operation=operation,
        times=times,
        unfused_bytes=one_pass_bytes * accesses.unfused_count,
        fused_bytes=one_pass_bytes * accesses.fused_count,
        how=f"{_words(accesses.unfused)}; fused: {_words(accesses.fused)}",
    )


def _words(kernels: tuple[tuple[str, int, int], ...]) -> str:
    return ", ".join(f"{name} ({reads} read, {writes} written)" for name, reads, writes in kernels)


def _width(layer: Layer) -> int:
    """Width of what a token's feed-forward gates: its experts' widths together where there are experts."""
    return layer.feed_forward_length + layer.expert_length * layer.experts_active + layer.shared_length


def _rotated(layer: Layer) -> int:
    return layer.key_length * (layer.heads + layer.kv_heads)
