"""Bytes of a step, against sums done by hand."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.errors import UsageError
from memfit.model import find_model
from memfit.model.shape import Layer, ModelShape, Tensor
from memfit.speed.touched import active_share, chosen_share, kv_step_bytes, profile, prompt, touched

HIDDEN, WIDE, VOCABULARY = 64, 256, 1000


def toy(*layers: Layer, tied: bool = False, extra: tuple[Tensor, ...] = (), window: int = 0) -> ModelShape:
    tensors = [
        Tensor("token_embd.weight", (HIDDEN, VOCABULARY), "F16", 2 * HIDDEN * VOCABULARY),
        *([] if tied else [Tensor("output.weight", (HIDDEN, VOCABULARY), "F16", 2 * HIDDEN * VOCABULARY)]),
        Tensor("output_norm.weight", (HIDDEN,), "F32", 4 * HIDDEN),
        *(Tensor(f"blk.{n}.ffn_up.weight", (HIDDEN, WIDE), "F16", 2 * HIDDEN * WIDE) for n in range(len(layers))),
        *extra,
    ]
    return ModelShape(
        architecture="llama",
        name="toy",
        parameters=1,
        parameters_active=1,
        embedding_length=HIDDEN,
        vocabulary_tokens=VOCABULARY,
        context_trained_tokens=4096,
        window_tokens=window,
        tied_embeddings=tied,
        layers=layers,
        tensors=tuple(tensors),
    )


def attention(index: int, **changes: object) -> Layer:
    base = Layer(heads=4, kv_heads=2, key_length=16, value_length=16, cache_of=index)
    return msgspec.structs.replace(base, **changes)


def test_an_embedding_is_one_row_and_an_output_matrix_is_all() -> None:
    norm, matrix, table = 4 * HIDDEN, 2 * HIDDEN * WIDE, 2 * HIDDEN * VOCABULARY
    assert touched(toy(attention(0))).weights_bytes == matrix + table + norm + 2 * HIDDEN
    assert touched(toy(attention(0), tied=True)).weights_bytes == matrix + table + norm


def test_names_of_checkpoints_are_read_as_those_of_files() -> None:
    named = toy(attention(0))
    renamed = msgspec.structs.replace(
        named,
        tensors=tuple(
            msgspec.structs.replace(
                tensor,
                name=tensor.name.replace("token_embd", "model.embed_tokens").replace("output.weight", "lm_head.weight"),
            )
            for tensor in named.tensors
        ),
    )
    assert touched(renamed).weights_bytes == touched(named).weights_bytes


def test_next_token_heads_and_towers_are_not_run() -> None:
    extra = (
        Tensor("blk.1.attn_q.weight", (HIDDEN, HIDDEN), "F16", 2 * HIDDEN * HIDDEN),
        Tensor("v.blk.0.attn_q.weight", (HIDDEN, HIDDEN), "F16", 2 * HIDDEN * HIDDEN),
        Tensor("visual.blocks.0.attn.qkv.weight", (HIDDEN, HIDDEN), "F16", 2 * HIDDEN * HIDDEN),
    )
    head = Layer(next_token=True)
    with_head = toy(attention(0), head, extra=extra)
    # the head's own ffn_up is left out as well
    assert touched(with_head).weights_bytes == touched(toy(attention(0))).weights_bytes
    assert touched(with_head).layers == 1


def test_experts_that_are_expected_to_be_chosen() -> None:
    layer = attention(0, experts=8, experts_active=2)
    bytes_all = 2 * HIDDEN * WIDE * 8
    experts = Tensor("blk.0.ffn_up_exps.weight", (HIDDEN, WIDE, 8), "F16", bytes_all)
    shape = toy(layer, extra=(experts,))
    assert touched(shape).experts_bytes == bytes_all // 4
    assert (touched(shape).layers, touched(shape).expert_layers) == (1, 1)
    assert touched(shape, sequences=2).experts_bytes == round(bytes_all * (1 - 0.75**2))
    assert touched(shape, sequences=1000).experts_bytes == bytes_all
    # computing is for the chosen of each token, whatever is read
    one, two = touched(shape), touched(shape, sequences=2)
    assert two.flops == 2 * one.flops
    assert active_share(None) == chosen_share(1.0, 1) == 1.0


def test_caches_are_read_as_deep_as_a_layer_sees() -> None:
    row = 2 * 2 * 16 * 2  # two heads of 16 in F16, K and V
    assert kv_step_bytes(toy(attention(0)), 100, 1, "F16", "F16") == row * 101
    windowed = toy(attention(0, attention="sliding"), window=32)
    assert kv_step_bytes(windowed, 100, 1, "F16", "F16") == row * 33
    assert kv_step_bytes(windowed, 10, 1, "F16", "F16") == row * 11
    latent = toy(attention(0, latent_kv=True))
    assert kv_step_bytes(latent, 100, 1, "F16", "F16") == row // 2 * 101
    # stored once, read by both, written by its owner
    shared = toy(attention(0), attention(1, cache_of=0))
    assert kv_step_bytes(shared, 100, 1, "F16", "F16") == row * (101 + 100)
    none = toy(attention(0, cache_of=None))
    assert kv_step_bytes(none, 100, 1, "F16", "F16") == 0


def test_a_smaller_cache_format_reads_less() -> None:
    shape = find_model("llama_3_2_1b", format="Q4_K_M")
    half = touched(shape, depth_tokens=4096, kv_type_k="Q8_0", kv_type_v="Q8_0").kv_bytes
    assert half == pytest.approx(touched(shape, depth_tokens=4096).kv_bytes * 8.5 / 16, rel=1e-6)


def test_recurrent_state_is_read_and_written() -> None:
    shape = toy(Layer(attention="none", convolution_elements=10, state_elements=90))
    assert touched(shape, sequences=3).state_bytes == 2 * 4 * 100 * 3
    assert touched(shape, depth_tokens=10_000).kv_bytes == 0


def test_a_prompt_in_chunks_computes_the_output_for_its_last_token_alone() -> None:
    shape = toy(attention(0))
    one, three = prompt(shape, 300, chunk_tokens=300), prompt(shape, 300, chunk_tokens=128)
    assert [step.tokens for step in three] == [128, 128, 44]
    assert sum(step.weights_bytes for step in three) > sum(step.weights_bytes for step in one)
    assert one[0].flops == touched(shape, tokens=300).flops - 2 * HIDDEN * VOCABULARY * 299


@pytest.mark.parametrize("wrong", [{"depth_tokens": -1}, {"sequences": 0}, {"tokens": 0}])
def test_a_step_of_nothing_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="are no step"):
        touched(toy(attention(0)), **wrong)  # type: ignore[arg-type]


def test_a_prompt_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError):
        prompt(toy(attention(0)), 0, chunk_tokens=512)


def test_a_profile_touches_what_its_shape_touches() -> None:
    for key in (
        "llama_3_2_1b",
        "gemma_3n_e2b",
        "qwen3_30b_a3b",
        "deepseek_v2_lite",
        "granite_4_0_h_tiny",
        "qwen3_5_4b",
    ):
        shape = find_model(key, format="Q4_K_M")
        summed = profile(shape)
        assert touched(summed, depth_tokens=5000, sequences=2) == touched(shape, depth_tokens=5000, sequences=2)
        assert touched(summed).weights_bytes + sum(group.bytes for group in summed.experts) <= shape.weights_bytes
        assert summed.layers == len(shape.trunk)


@given(depth=st.integers(0, 100_000), more=st.integers(0, 100_000), sequences=st.integers(1, 64))
def test_deeper_and_more_never_touch_less(depth: int, more: int, sequences: int) -> None:
    shape = toy(attention(0), attention(1, attention="sliding"), window=512)
    less = touched(shape, depth_tokens=depth, sequences=sequences)
    deeper = touched(shape, depth_tokens=depth + more, sequences=sequences)
    wider = touched(shape, depth_tokens=depth, sequences=sequences + 1)
    assert less.bytes <= deeper.bytes
    assert less.bytes < wider.bytes
    assert less.flops <= deeper.flops
