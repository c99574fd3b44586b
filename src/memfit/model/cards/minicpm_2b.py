"""MiniCPM 2B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="MiniCPM-2B",
    architecture="minicpm",
    metadata={
        "context_length": 4096,
        "embedding_length": 2304,
        "block_count": 40,
        "feed_forward_length": 5760,
        "attention.head_count": 36,
        "attention.head_count_kv": 36,
        "rope.dimension_count": 64,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 122753,
    },
    source=("published description of openbmb/MiniCPM-2B-sft-bf16, whose 2,724,880,896 parameters it gives exactly"),
    uses=("chat", "bilingual"),
    released="2024-02",
    aliases=("MiniCPM-2B-sft-bf16", "MiniCPM-2B-dpo-bf16"),
    tied=True,
    tokenizer="llama",
)
