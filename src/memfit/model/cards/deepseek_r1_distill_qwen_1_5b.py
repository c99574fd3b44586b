"""DeepSeek R1 distilled into Qwen2.5-Math 1.5B: its output matrix is not tied."""

from memfit.model.cards._card import Card

CARD = Card(
    name="DeepSeek-R1-Distill-Qwen-1.5B",
    architecture="qwen2",
    metadata={
        "context_length": 131072,
        "embedding_length": 1536,
        "block_count": 28,
        "feed_forward_length": 8960,
        "attention.head_count": 12,
        "attention.head_count_kv": 2,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source="config.json of deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
    uses=("reasoning", "chat", "bilingual", "long_context"),
    released="2025-01",
)
