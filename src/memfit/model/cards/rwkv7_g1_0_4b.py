"""RWKV-7 0.4B, World and G1."""

from memfit.model.cards._card import Card

CARD = Card(
    name="RWKV7-G1-0.4B",
    architecture="rwkv7",
    metadata={
        "block_count": 24,
        "context_length": 1048576,
        "embedding_length": 1024,
        "feed_forward_length": 4096,
        "attention.head_count": 0,
        "attention.layer_norm_epsilon": 1e-05,
        "wkv.head_size": 64,
        "attention.decay_lora_rank": 64,
        "attention.iclr_lora_rank": 64,
        "attention.value_residual_mix_lora_rank": 32,
        "attention.gate_lora_rank": 128,
        "vocab_size": 65536,
    },
    source="huggingface.co/fla-hub/rwkv7-0.4B-g1/config.json",
    uses=("chat", "reasoning"),
    tokenizer="rwkv",
    aliases=("RWKV7-World-0.4B", "rwkv7-0.4B-world"),
)
