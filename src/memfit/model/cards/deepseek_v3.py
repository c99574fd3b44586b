"""DeepSeek V3 671B: eight of 256 experts for each token, beside a shared one; latent attention."""

from memfit.model.cards._card import Card

CARD = Card(
    name="DeepSeek-V3",
    architecture="deepseek2",
    metadata={
        "context_length": 163840,
        "embedding_length": 7168,
        "block_count": 61,
        "feed_forward_length": 18432,
        "attention.head_count": 128,
        "attention.head_count_kv": 1,
        "attention.q_lora_rank": 1536,
        "attention.kv_lora_rank": 512,
        "attention.key_length": 576,
        "attention.value_length": 512,
        "attention.key_length_mla": 192,
        "attention.value_length_mla": 128,
        "rope.dimension_count": 64,
        "leading_dense_block_count": 3,
        "expert_count": 256,
        "expert_used_count": 8,
        "expert_feed_forward_length": 2048,
        "expert_shared_count": 1,
        "expert_weights_scale": 2.5,
        "expert_weights_norm": True,
        "expert_gating_func": 2,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 129280,
    },
    source=(
        "headers of GGUF conversions of deepseek-ai/DeepSeek-V3 and -0324 in public logs "
        "(github.com/ggml-org/llama.cpp/issues/10981 and 13461); published description of "
        "deepseek-ai/DeepSeek-V3: 671,026,419,200 parameters without the head that predicts a second token"
    ),
    uses=("chat", "tools", "code", "reasoning", "bilingual", "long_context"),
    released="2024-12",
    aliases=("DeepSeek-V3-671B", "DeepSeek-V3-0324"),
    optional_tensors=("exp_probs_b.bias",),
)
