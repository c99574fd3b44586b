"""GPT-2 124M."""

from memfit.model.cards._card import Card

CARD = Card(
    name="GPT-2",
    architecture="gpt2",
    metadata={
        "context_length": 1024,
        "embedding_length": 768,
        "block_count": 12,
        "feed_forward_length": 3072,
        "attention.head_count": 12,
        "attention.layer_norm_epsilon": 1e-05,
        "vocab_size": 50257,
    },
    source="config.json of openai-community/gpt2",
    uses=("completion",),
    released="2019-02",
    tied=True,
)
