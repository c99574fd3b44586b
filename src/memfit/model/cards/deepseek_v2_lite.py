"""DeepSeek V2 Lite 16B: six of 64 experts for each token, beside two shared ones; latent attention."""

from memfit.model.cards._card import Card

CARD = Card(
    name="DeepSeek-V2-Lite",
    architecture="deepseek2",
    metadata={
        "context_length": 163840,
        "embedding_length": 2048,
        "block_count": 27,
        "feed_forward_length": 10944,
        "attention.head_count": 16,
        "attention.head_count_kv": 1,
        "attention.kv_lora_rank": 512,
        "attention.key_length": 576,
        "attention.value_length": 512,
        "attention.key_length_mla": 192,
        "attention.value_length_mla": 128,
        "rope.dimension_count": 64,
        "leading_dense_block_count": 1,
        "expert_count": 64,
        "expert_used_count": 6,
        "expert_group_count": 1,
        "expert_group_used_count": 1,
        "expert_feed_forward_length": 1408,
        "expert_shared_count": 2,
        "expert_weights_scale": 1.0,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 102400,
    },
    source="config.json of deepseek-ai/DeepSeek-V2-Lite",
    uses=("chat", "code", "bilingual", "long_context"),
    released="2024-05",
    aliases=("DeepSeek-V2-Lite-Chat", "DeepSeek-Coder-V2-Lite"),
)
