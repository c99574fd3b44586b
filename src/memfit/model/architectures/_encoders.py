"""What encoders share: no cache, and embeddings of positions and token types beside the tokens'.

Follows ``llama_model::create_memory`` (llama.cpp src/llama-model.cpp) and src/models/bert.cpp, both at 0c1e57098.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from memfit.errors import Malformed
from memfit.model.architectures._architecture import Plan
from memfit.model.architectures._blocks import Tensors, blocks
from memfit.model.architectures._graphs import attention_plan
from memfit.model.metadata import Metadata


def encoder_plan(meta: Metadata) -> Plan:
    """Every token sees every other; nothing is kept between calls.

    Raises:
        Malformed: a size is missing, out of bounds, or contradicts another.
    """
    plan = attention_plan(meta, (msgspec.structs.replace(block.layer(), cache_of=None) for block in blocks(meta)))
    return replace(plan, memory="none")


def encoder_embeddings(meta: Metadata, *, positions: bool) -> Tensors:
    """Embeddings of tokens, of token types and, where they are learned, of positions; and the norm behind them.

    Raises:
        Malformed: the width, the vocabulary, or the count of token types is missing.
    """
    width = meta.integer("embedding_length", least=1)
    yield "token_embd.weight", (width, meta.vocabulary_tokens())
    yield "token_types.weight", (width, _token_types(meta))
    if positions:
        yield "position_embd.weight", (width, meta.integer("context_length", least=1))
    yield "token_embd_norm.weight", (width,)
    yield "token_embd_norm.bias", (width,)


def _token_types(meta: Metadata) -> int:
    # of the tokenizer's keys, which carry no architecture's prefix
    count = meta.values.get("tokenizer.ggml.token_type_count")
    if not isinstance(count, int) or count < 1:
        raise Malformed(f"tokenizer.ggml.token_type_count is {count!r}, and encoders need one", file=meta.file)
    return count
