"""Llama 4 Maverick 17B-128E: one of 128 experts for each token in every second layer, beside a shared one."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Llama-4-Maverick",
    architecture="llama4",
    metadata={
        "context_length": 1048576,
        "embedding_length": 5120,
        "block_count": 48,
        "feed_forward_length": 16384,
        "attention.head_count": 40,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "rope.dimension_count": 128,
        "expert_count": 128,
        "expert_used_count": 1,
        "expert_feed_forward_length": 8192,
        "interleave_moe_layer_step": 2,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 202048,
    },
    source=(
        "config.json of meta-llama/Llama-4-Maverick-17B-128E-Instruct as quoted in aiconfigurator "
        "(github.com/ai-dynamo/aiconfigurator aic-core/src/aiconfigurator_core/model_configs @ 64c5ddb6)"
    ),
    uses=("chat", "tools", "vision", "long_context"),
    released="2025-04",
    aliases=("Llama-4-Maverick-17B-128E", "Llama-4-Maverick-17B-128E-Instruct"),
)
