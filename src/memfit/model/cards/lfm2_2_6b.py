"""LFM2 2.6B."""

from memfit.model.cards._card import Card

ATTENTION = (2, 5, 9, 13, 17, 21, 24, 27)

CARD = Card(
    name="LFM2-2.6B",
    architecture="lfm2",
    metadata={
        "block_count": 30,
        "context_length": 128000,
        "embedding_length": 2048,
        "feed_forward_length": 10752,
        "attention.head_count": 32,
        "attention.head_count_kv": [8 if index in ATTENTION else 0 for index in range(30)],
        "attention.layer_norm_rms_epsilon": 1e-05,
        "rope.freq_base": 1000000.0,
        "shortconv.l_cache": 3,
        "vocab_size": 65536,
    },
    source="huggingface.co/LiquidAI/LFM2-2.6B/config.json",
    uses=("chat", "classification", "tools", "long_context"),
    released="2025-09",
    tied=True,
)
