"""Llama 4 Scout 17B-16E: one of sixteen experts for each token, beside a shared one."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Llama-4-Scout",
    architecture="llama4",
    metadata={
        "context_length": 10485760,
        "embedding_length": 5120,
        "block_count": 48,
        "feed_forward_length": 16384,
        "attention.head_count": 40,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "rope.dimension_count": 128,
        "expert_count": 16,
        "expert_used_count": 1,
        "expert_feed_forward_length": 8192,
        "interleave_moe_layer_step": 1,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 202048,
    },
    source=(
        "config.json of meta-llama/Llama-4-Scout-17B-16E quoted in public "
        "(github.com/AMD-AGI/Primus/pull/165); context of the Instruct model"
    ),
    uses=("chat", "tools", "vision", "long_context"),
    released="2025-04",
    aliases=("Llama-4-Scout-17B-16E", "Llama-4-Scout-17B-16E-Instruct"),
    optional_tensors=("rope_freqs",),
)
