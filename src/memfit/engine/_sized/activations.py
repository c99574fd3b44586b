"""What a forward pass holds beside weights and caches: nobody measured it for every model, so the bars are wide.

Per token, a layer's widest moment: the residual and its normed copy, and either Q, K, V and the attention's output, or
gate, up and their product. With fused attention no matrix of scores is kept. The rule is checked against one published
measurement: TensorRT-LLM's Llama-3-8B on an AGX Orin (``runtimes/tensorrt_llm.py``), whose total it meets within 5 %.
"""

from __future__ import annotations

from memfit.engine._sized.figures import Range
from memfit.engine._sized.request import Request

ERROR = "activations by a rule, not measured: half to twice as much"


def pass_bytes(wanted: Request, *, element_bytes: int = 2) -> Range:
    """One batch of prompt tokens through the widest layer."""
    likely = wanted.batch_tokens * wanted.facts.widest_elements * element_bytes
    return Range(likely // 2, likely, 2 * likely)


def logits_bytes(wanted: Request, *, rows: int) -> Range:
    """Logits in 32 bits, and what sampling holds beside them: sorted values with 64-bit indices, probabilities."""
    entries = rows * wanted.shape.vocabulary_tokens
    return Range(4 * entries, 12 * entries, 24 * entries)


def scores_bytes(wanted: Request, *, tokens: int, element_bytes: int) -> int:
    """The matrix of scores of one layer where attention is not fused: heads × tokens × context."""
    return wanted.facts.heads * tokens * wanted.context_tokens * element_bytes * wanted.slots
