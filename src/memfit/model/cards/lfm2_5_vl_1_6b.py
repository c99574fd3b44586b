"""The text part of LFM2.5-VL 1.6B; its projector is a file of its own."""

from memfit.model.cards._card import Card

ATTENTION = (2, 5, 8, 10, 12, 14)

CARD = Card(
    name="LFM2.5-VL-1.6B",
    architecture="lfm2",
    metadata={
        "block_count": 16,
        "context_length": 128000,
        "embedding_length": 2048,
        "feed_forward_length": 8192,
        "attention.head_count": 32,
        "attention.head_count_kv": [8 if index in ATTENTION else 0 for index in range(16)],
        "attention.layer_norm_rms_epsilon": 1e-05,
        "rope.freq_base": 1000000.0,
        "shortconv.l_cache": 3,
        "vocab_size": 65536,
    },
    source="huggingface.co/LiquidAI/LFM2.5-VL-1.6B/config.json, text_config",
    uses=("vision", "chat", "long_context"),
    released="2026-01",
    tied=True,
    aliases=("LFM2-VL-1.6B",),
)
