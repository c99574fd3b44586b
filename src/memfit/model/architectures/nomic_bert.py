"""Nomic BERT encoders: rotary positions, a gated feed-forward, no biases on matrices."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture
from memfit.model.architectures._blocks import Tensors, trunk
from memfit.model.architectures._encoders import encoder_embeddings, encoder_plan
from memfit.model.metadata import Metadata


def tensors(meta: Metadata) -> Tensors:
    """Query, key and value in one matrix; no output matrix.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from encoder_embeddings(meta, positions=False)
    for block in trunk(meta):
        yield from block.fused_attention()
        yield from block.norm("attn_output_norm", bias=True)
        yield from block.gated_feed_forward()
        yield from block.norm("layer_output_norm", bias=True)


ARCHITECTURE = Architecture(
    name="nomic-bert",
    summary="nomic-embed-text v1 and v1.5",
    source="llama.cpp src/models/nomic-bert.cpp @ 0c1e57098",
    plan=encoder_plan,
    tensors=tensors,
)
