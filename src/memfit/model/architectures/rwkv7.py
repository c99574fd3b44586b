"""RWKV-7: linear attention kept as one matrix a head, and so no KV cache."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Block, Tensors, ends
from memfit.model.architectures._state_blocks import state_blocks
from memfit.model.metadata import Metadata
from memfit.model.shape import Layer

TOKEN_SHIFTS = 2  # token_shift_count, the default in llama.cpp src/llama-hparams.h (0c1e57098)
LERPS = 6  # r, w, k, v, a, g: load_arch_tensors of src/models/rwkv7.cpp


def plan(meta: Metadata) -> Plan:
    """Layers, all with a state: the last token of each of two mixes, and one matrix a head.

    Raises:
        Malformed: a size is missing or out of bounds.
    """
    shifts, head = meta.integer("token_shift_count", TOKEN_SHIFTS), meta.integer("wkv.head_size", least=1)
    layers = tuple(
        Layer(
            attention="none",
            convolution_elements=shifts * block.width,
            state_elements=block.width * head,
            feed_forward_length=block.feed_forward,
        )
        for block in state_blocks(meta)
    )
    return Plan(layers=layers, memory="recurrent")


def tensors(meta: Metadata) -> Tensors:
    """Every tensor; the embedding and the output matrix are never shared.

    Raises:
        Malformed: a size is missing or out of bounds.
    """
    blocks = state_blocks(meta)
    yield from ends(meta, norm_bias=True)
    yield "token_embd_norm.weight", (blocks[0].width,)
    yield "token_embd_norm.bias", (blocks[0].width,)
    for block in blocks:
        yield from block.norm("attn_norm", bias=True)
        yield from block.norm("attn_norm_2", bias=True)
        yield from _time_mix(block, meta)
        yield from block.weight("channel_mix_lerp_k", block.width, 1, 1)
        yield from block.weight("channel_mix_key", block.width, block.feed_forward)
        yield from block.weight("channel_mix_value", block.feed_forward, block.width)


def _time_mix(block: Block, meta: Metadata) -> Tensors:
    learning_rate = meta.integer("attention.iclr_lora_rank")
    # the first layer has no value to mix in; files fill its place with a copy of the learning rate's tensors
    value = meta.integer("attention.value_residual_mix_lora_rank") if block.index else learning_rate
    ranks = {"w": meta.integer("attention.decay_lora_rank"), "a": learning_rate, "v": value}
    for name, rank in ranks.items():
        yield from block.norm(f"time_mix_{name}0")
        yield from block.weight(f"time_mix_{name}1", block.width, rank)
        yield from block.weight(f"time_mix_{name}2", rank, block.width)
    gate = meta.integer("attention.gate_lora_rank")
    yield from block.weight("time_mix_g1", block.width, gate)
    yield from block.weight("time_mix_g2", gate, block.width)
    yield from block.weight("time_mix_lerp_fused", block.width, 1, 1, LERPS)
    for name in ("k_k", "k_a", "r_k"):
        yield from block.norm(f"time_mix_{name}")
    for name in ("key", "value", "receptance", "output"):
        yield from block.weight(f"time_mix_{name}", block.width, block.width)
    yield from block.norm("time_mix_ln", bias=True)


ARCHITECTURE = Architecture(
    name="rwkv7",
    summary="RWKV-7 World and G1",
    source="llama.cpp src/models/rwkv7.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
)
