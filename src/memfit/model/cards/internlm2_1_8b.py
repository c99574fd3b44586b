"""InternLM2 1.8B."""

from memfit.model.cards._card import Card

CARD = Card(
    name="InternLM2-1.8B",
    architecture="internlm2",
    metadata={
        "context_length": 32768,
        "embedding_length": 2048,
        "block_count": 24,
        "feed_forward_length": 8192,
        "attention.head_count": 16,
        "attention.head_count_kv": 8,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "vocab_size": 92544,
    },
    source=("published description of internlm/internlm2-1_8b, whose 1,889,110,016 parameters it gives exactly"),
    uses=("chat", "bilingual", "long_context"),
    aliases=("internlm2-1_8b", "internlm2-chat-1_8b"),
    tokenizer="llama",
)
