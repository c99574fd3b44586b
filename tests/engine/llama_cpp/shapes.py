"""Small shapes for the tests of the formulas, with figures worked out by hand beside them."""

from memfit.model.shape import Layer, ModelShape, Tensor, Tokenizer


def dense(layers: int = 32, *, kv_heads: int = 8, key_length: int = 128, vocabulary: int = 128256) -> ModelShape:
    return ModelShape(
        architecture="llama",
        name="dense",
        parameters=8_030_261_248,
        parameters_active=8_030_261_248,
        embedding_length=4096,
        vocabulary_tokens=vocabulary,
        context_trained_tokens=8192,
        layers=tuple(
            Layer(heads=32, kv_heads=kv_heads, key_length=key_length, value_length=key_length, cache_of=index)
            for index in range(layers)
        ),
        tokenizer=Tokenizer(kind="gpt2", tokens=vocabulary, token_bytes=6 * vocabulary, merges=vocabulary),
        tensors=(
            Tensor("token_embd.weight", (4096, vocabulary), "Q4_K", 4096 * vocabulary // 256 * 144, 0),
            Tensor("blk.0.attn_q.weight", (4096, 4096), "Q4_K", 4096 * 4096 // 256 * 144, 295501824),
            Tensor("blk.0.attn_norm.weight", (4096,), "F32", 4096 * 4, 304939008),
            Tensor("output.weight", (4096, vocabulary), "Q6_K", 4096 * vocabulary // 256 * 210, 304955392),
        ),
    )
