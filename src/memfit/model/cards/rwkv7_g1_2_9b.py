"""RWKV-7 2.9B, World and G1."""

from memfit.model.cards._card import Card

CARD = Card(
    name="RWKV7-G1-2.9B",
    architecture="rwkv7",
    metadata={
        "block_count": 32,
        "context_length": 1048576,
        "embedding_length": 2560,
        "feed_forward_length": 10240,
        "attention.head_count": 0,
        "attention.layer_norm_epsilon": 1e-05,
        "wkv.head_size": 64,
        "attention.decay_lora_rank": 96,
        "attention.iclr_lora_rank": 96,
        "attention.value_residual_mix_lora_rank": 64,
        "attention.gate_lora_rank": 320,
        "vocab_size": 65536,
    },
    source="huggingface.co/fla-hub/rwkv7-2.9B-g1/config.json",
    uses=("chat", "reasoning"),
    tokenizer="rwkv",
    aliases=("RWKV7-World-2.9B", "rwkv7-2.9B-world"),
)
