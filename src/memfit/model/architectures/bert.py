"""BERT encoders: no memory between calls, learned positions, norms behind each half."""

from __future__ import annotations

from memfit.model.architectures._architecture import Architecture
from memfit.model.architectures._blocks import Tensors, trunk
from memfit.model.architectures._encoders import encoder_embeddings, encoder_plan
from memfit.model.metadata import Metadata


def tensors(meta: Metadata) -> Tensors:
    """Biases everywhere; no output matrix.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    yield from encoder_embeddings(meta, positions=True)
    for block in trunk(meta):
        yield from block.attention(bias=True, output_bias=True)
        yield from block.norm("attn_output_norm", bias=True)
        yield from block.plain_feed_forward(bias=True)
        yield from block.norm("layer_output_norm", bias=True)


ARCHITECTURE = Architecture(
    name="bert",
    summary="BERT, MiniLM, BGE, RoBERTa and other embedding models",
    source="llama.cpp src/models/bert.cpp @ 0c1e57098",
    plan=encoder_plan,
    tensors=tensors,
)
