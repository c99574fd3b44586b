"""Qwen3-VL 8B, the text half."""

from memfit.model.cards._card import Card

CARD = Card(
    name="Qwen3-VL-8B",
    architecture="qwen3vl",
    metadata={
        "context_length": 262144,
        "embedding_length": 4096,
        "block_count": 36,
        "feed_forward_length": 12288,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "attention.key_length": 128,
        "attention.value_length": 128,
        "rope.dimension_sections": [24, 20, 20, 0],
        "n_deepstack_layers": 3,
        "attention.layer_norm_rms_epsilon": 1e-06,
        "vocab_size": 151936,
    },
    source=(
        "config.json of Qwen/Qwen3-VL-8B-Instruct: Qwen3 8B with 262,144 tokens of context, an output matrix of "
        "its own (github.com/Comfy-Org/ComfyUI/pull/14298) and three layers that take image features; with the "
        "encoder of images, the 8,767,123,696 parameters that Cosmos-Reason2-8B's description counts"
    ),
    uses=("vision", "chat", "tools", "reasoning", "bilingual", "long_context"),
    released="2025-10",
    aliases=("Qwen3-VL-8B-Instruct", "Qwen3-VL-8B-Thinking"),
)
