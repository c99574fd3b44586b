"""Gemma 3n: later layers read the caches of earlier ones, four parallel residual streams, per-layer embeddings."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture, Plan
from memfit.model.architectures._blocks import Block, Tensors, blocks, ends, trunk, window_pattern
from memfit.model.architectures._graphs import attention_plan
from memfit.model.architectures._shared_caches import share_caches
from memfit.model.metadata import Metadata

PERIOD = 5
# n_layer_kv_from_start, n_altup, laurel_rank and n_embd_altup: the engine sets them whatever the header says
OWN_CACHES = 20
STREAMS = 4
LAUREL_RANK = 64
PER_LAYER_WIDTH = 256


def plan(meta: Metadata) -> Plan:
    """A window in all layers but every fifth; layers from the twentieth on read the last two caches before it.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    window = meta.integer("attention.sliding_window")
    layers = [block.layer() for block in blocks(meta, window_pattern(meta, PERIOD))]
    return attention_plan(meta, share_caches(meta, layers, OWN_CACHES), window_tokens=window)


def _per_layer_embeddings(meta: Metadata, layers: int, width: int) -> Tensors:
    yield "per_layer_token_embd.weight", (PER_LAYER_WIDTH * layers, meta.vocabulary_tokens())
    yield "per_layer_model_proj.weight", (width, PER_LAYER_WIDTH * layers)
    yield "per_layer_proj_norm.weight", (PER_LAYER_WIDTH,)


def _streams(block: Block) -> Tensors:
    yield from block.weight("inp_gate", block.width, PER_LAYER_WIDTH)
    yield from block.weight("proj", PER_LAYER_WIDTH, block.width)
    yield from block.norm("post_norm")
    yield from block.weight("altup_correct_coef", STREAMS, STREAMS)
    yield from block.weight("altup_correct_scale", block.width)
    yield from block.weight("altup_predict_coef", STREAMS, STREAMS * STREAMS)
    yield from block.weight("altup_router", block.width, STREAMS)
    yield from block.norm("altup_router_norm")
    yield from block.weight("laurel_l", block.width, LAUREL_RANK)
    yield from block.weight("laurel_r", LAUREL_RANK, block.width)
    yield from block.norm("laurel_post_norm")


def tensors(meta: Metadata) -> Tensors:
    """Layers that read another's cache hold key and value matrices all the same.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    layers = trunk(meta, window_pattern(meta, PERIOD))
    width = layers[0].width
    yield from ends(meta)
    yield "altup_proj.weight", (width, width, STREAMS - 1)
    yield "altup_unembd_proj.weight", (width, width, STREAMS - 1)
    yield from _per_layer_embeddings(meta, len(layers), width)
    for block in layers:
        yield from block.norm("attn_norm")
        yield from block.attention()
        yield from block.head_norms()
        yield from block.norm("post_attention_norm")
        yield from block.norm("ffn_norm")
        yield from block.gated_feed_forward()
        yield from block.norm("post_ffw_norm")
        yield from _streams(block)


ARCHITECTURE = Architecture(
    name="gemma3n",
    summary="Gemma 3n E2B and E4B",
    source="llama.cpp src/models/gemma3n.cpp @ 0c1e57098",
    plan=plan,
    tensors=tensors,
    copies_tied_embedding=True,
)
