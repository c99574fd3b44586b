"""Recurrent and hybrid architectures by themselves: published parameter counts, which layer keeps what, bad headers."""

from __future__ import annotations

import math

import pytest

from memfit.errors import Malformed
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS
from memfit.model.metadata import Metadata, Value
from memfit.model.shape import Layer

# parameters in the makers' weight files as huggingface.co shows them, next-token-prediction layers left out
PUBLISHED = {
    "falcon_h1_0_5b": 521_411_104,
    "falcon_h1_1_5b": 1_554_863_488,
    "falcon_mamba_7b": 7_272_665_088,
    "jamba_v0_1": 51_570_323_328,
    "lfm2_1_2b": 1_170_340_608,
    "lfm2_2_6b": 2_569_272_320,
    "lfm2_350m": 354_483_968,
    "lfm2_700m": 742_489_344,
    # 704 biases of the router counted in, which the makers keep as buffers
    "lfm2_8b_a1b": 8_339_929_856 + 22 * 32,
    "mamba_130m": 129_135_360,
    "mamba_2_8b": 2_768_345_600,
    "mamba_codestral_7b": 7_285_403_648,
    "nemotron_3_nano_30b_a3b": 31_577_937_344 + 23 * 128,
    "nemotron_nano_9b_v2": 8_888_227_328,
    "qwen3_5_0_8b": 752_393_024,
    # counted with transformers: whole model less its vision encoder
    "qwen3_5_9b": 9_409_813_744 - 456_010_480,
    "qwen3_next_80b_a3b": 79_674_391_296,
    # llama.cpp repeats three tensors in the first layer: 2560 + 2 * 2560 * 96 numbers
    "rwkv7_g1_2_9b": 2_947_735_040 + 494_080,
}

# in billions, where only a rounded figure is known
ROUNDED = {
    "granite_4_0_h_1b": 1.5,
    "granite_4_0_h_micro": 3.2,
    "granite_4_0_h_tiny": 6.9,
    "granite_4_0_h_small": 32.2,
    "nemotron_h_8b": 8.1,
    "nemotron_3_nano_4b": 4.0,
    "qwen3_5_2b": 1.9,
    "qwen3_5_4b": 4.2,
    "qwen3_5_27b": 26.9,
    "qwen3_5_35b_a3b": 34.7,
    "rwkv7_g1_0_4b": 0.5,
}


def layers_of(name: str) -> tuple[Layer, ...]:
    card = CARDS.get(name)
    return ARCHITECTURES.get(card.architecture).plan(card.hyperparameters()).layers


def header(name: str, **changes: Value | None) -> Metadata:
    card = CARDS.get(name)
    values = dict(card.header())
    for key, value in changes.items():
        full = f"{card.architecture}.{key.replace('__', '.')}"
        if value is None:
            del values[full]
        else:
            values[full] = value
    return Metadata(card.architecture, values, file="model.gguf")


def trunk_parameters(name: str) -> int:
    card = CARDS.get(name)
    trunk = sum(not layer.next_token for layer in layers_of(name))
    total = 0
    for tensor, dims in ARCHITECTURES.get(card.architecture).tensors(card.hyperparameters()):
        parts = tensor.split(".")
        next_token = parts[0] == "blk" and int(parts[1]) >= trunk
        if not next_token and not (card.tied and tensor == "output.weight"):
            total += math.prod(dims)
    return total


@pytest.mark.parametrize("name", PUBLISHED)
def test_tensors_hold_the_published_parameters(name: str) -> None:
    assert trunk_parameters(name) == PUBLISHED[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_tensors_hold_about_the_stated_parameters(name: str) -> None:
    assert round(trunk_parameters(name) / 1e9, 1) == ROUNDED[name]


@pytest.mark.parametrize("name", [*PUBLISHED, *ROUNDED])
def test_no_tensor_is_listed_twice(name: str) -> None:
    card = CARDS.get(name)
    names = [tensor for tensor, _ in ARCHITECTURES.get(card.architecture).tensors(card.hyperparameters())]
    assert len(names) == len(set(names))


def test_qwen35_keeps_a_state_in_three_layers_of_four() -> None:
    layers = layers_of("qwen3_5_4b")
    assert [layer.attention for layer in layers[:4]] == ["none", "none", "none", "full"]
    assert [index for index, layer in enumerate(layers) if layer.cache_of == index] == list(range(3, 32, 4))
    assert (layers[0].convolution_elements, layers[0].state_elements) == (3 * 8192, 128 * 4096)
    assert (layers[3].convolution_elements, layers[3].state_elements, layers[3].key_elements) == (0, 0, 1024)


def test_next_token_layers_take_no_cache_and_no_state() -> None:
    last = layers_of("qwen3_5_4b")[-1]
    assert last.next_token
    assert last.cache_of is None
    assert last.state_elements == 0
    assert not any(layer.next_token for layer in layers_of("qwen3_5_4b")[:-1])


def test_listed_recurrent_layers_win_over_the_interval() -> None:
    listed = [True] * 31 + [False, True]  # the last is the next-token-prediction layer, which never keeps a state
    plan = ARCHITECTURES.get("qwen35").plan(header("qwen3_5_4b", attention__recurrent_layers=listed))
    assert [index for index, layer in enumerate(plan.layers) if layer.cache_of is not None] == [31]
    assert plan.layers[32].state_elements == 0


def test_falcon_keeps_both_in_every_layer() -> None:
    assert all(
        layer.cache_of == index and layer.state_elements == 256 * 3072 and layer.attention == "full"
        for index, layer in enumerate(layers_of("falcon_h1_1_5b"))
    )


def test_nemotron_layers_are_one_thing_each() -> None:
    kinds = ""
    for layer in layers_of("nemotron_3_nano_30b_a3b"):
        kinds += "*" if layer.cache_of is not None else "M" if layer.state_elements else "E" if layer.experts else "?"
    assert kinds == "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"


def test_short_convolutions_keep_inputs_but_no_state() -> None:
    layers = layers_of("lfm2_1_2b")
    assert [index for index, layer in enumerate(layers) if layer.cache_of is not None] == [2, 5, 8, 10, 12, 14]
    assert {layer.convolution_elements for layer in layers} == {0, 2 * 2048}
    assert {layer.state_elements for layer in layers} == {0}


def test_a_window_slides_over_the_audio_detokenizer() -> None:
    plan = ARCHITECTURES.get("lfm2").plan(header("lfm2_350m", attention__sliding_window=30))
    assert plan.window_tokens == 30
    assert {layer.attention for layer in plan.layers} == {"sliding", "none"}


def test_experts_of_lfm2_begin_behind_the_dense_layers() -> None:
    layers = layers_of("lfm2_8b_a1b")
    assert [layer.experts for layer in layers[:3]] == [0, 0, 32]
    assert [layer.feed_forward_length for layer in layers[:3]] == [7168, 7168, 0]


def test_a_files_own_routers_tell_which_layers_of_jamba_have_experts() -> None:
    names = ["token_embd.weight", "blk.0.ffn_gate_inp.weight", "blk.5.ffn_gate_inp.weight"]
    meta = Metadata("jamba", CARDS.get("jamba_v0_1").header(), optional=names)
    layers = ARCHITECTURES.get("jamba").plan(meta).layers
    assert [index for index, layer in enumerate(layers) if layer.experts] == [0, 5]


@pytest.mark.parametrize(
    ("name", "memory"), [("mamba_130m", "recurrent"), ("rwkv7_g1_0_4b", "recurrent"), ("jamba_v0_1", "hybrid")]
)
def test_which_memory_the_engine_creates(name: str, memory: str) -> None:
    card = CARDS.get(name)
    assert ARCHITECTURES.get(card.architecture).plan(card.hyperparameters()).memory == memory


BAD = {
    "no conv_kernel": ("mamba_130m", {"ssm__conv_kernel": None}, "ssm.conv_kernel is missing"),
    "negative state": ("mamba_130m", {"ssm__state_size": -1}, "ssm.state_size is -1"),
    "no group": ("mamba2_780m", {"ssm__group_count": 0}, "ssm.group_count is 0"),
    "only next-token layers": ("qwen3_5_4b", {"nextn_predict_layers": 33}, "nextn_predict_layers is 33"),
    "interval of 0": ("qwen3_5_4b", {"full_attention_interval": 0}, "full_attention_interval is 0"),
    "short array": ("lfm2_1_2b", {"attention__head_count_kv": [8, 0]}, "2 entries for 16 layers"),
    "no taps": ("lfm2_1_2b", {"shortconv__l_cache": 0}, "shortconv.l_cache is 0"),
    "more experts used": ("granite_4_0_h_tiny", {"expert_used_count": 65}, "65 of 64 experts"),
    "head of 0": ("rwkv7_g1_0_4b", {"wkv__head_size": 0}, "wkv.head_size is 0"),
    "heads of nothing": ("lfm2_1_2b", {"attention__head_count": 4096}, "attention.key_length is 0"),
    "text for a number": ("falcon_h1_0_5b", {"embedding_length": "1024"}, "embedding_length is '1024'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_headers_are_refused_by_key_and_file(case: str) -> None:
    name, changes, message = BAD[case]
    with pytest.raises(Malformed, match=r"model\.gguf") as raised:
        ARCHITECTURES.get(CARDS.get(name).architecture).plan(header(name, **changes))  # type: ignore[arg-type]
    assert message in raised.value.message
