"""Every source of published speeds, whoever adds it: it names cards, boards and modes that exist, and says how."""

import pytest

from memfit.device.boards import BOARDS
from memfit.model.cards import CARDS
from memfit.precision.presets import PRESETS
from memfit.speed.anchors import SOURCES, WEIGHT_FORMATS, anchor_shape, anchor_touched
from memfit.speed.efficiency import EFFICIENCIES
from memfit.speed.machine import machine_of
from memfit.speed.records import Anchor

ANCHORS = [(key, anchor) for key, source in SOURCES.items() for anchor in source.anchors]


@pytest.mark.parametrize("key", SOURCES.keys())
def test_a_source_says_where_it_is_and_how_it_measured(key: str) -> None:
    source = SOURCES.get(key)
    assert source.title
    assert "/" in source.address
    assert len(source.method) > 20
    assert source.anchors


def test_every_anchor_names_what_exists() -> None:
    for key, anchor in ANCHORS:
        assert anchor.model in CARDS, key
        assert anchor.board in BOARDS, key
        assert anchor.format in WEIGHT_FORMATS or anchor.format in PRESETS, key
        assert machine_of(BOARDS.get(anchor.board), anchor.mode, on_cpu=anchor.on_cpu).bandwidth_bytes_per_s
        assert anchor.decode_tokens_per_s or anchor.prefill_tokens_per_s, key
        assert anchor.prefill_tokens_per_s is None or anchor.prompt_tokens, key


def test_no_speed_is_published_twice() -> None:
    assert len({anchor for _, anchor in ANCHORS}) == len(ANCHORS)


def test_no_estimate_and_no_crowd_is_fitted() -> None:
    assert any(anchor.grade == "estimate" for _, anchor in ANCHORS)
    assert not any(anchor.fitted for _, anchor in ANCHORS if anchor.grade == "estimate" or anchor.concurrency > 1)


def test_no_speed_is_faster_than_the_boards_memory() -> None:
    # a figure above the roof is a mistyped figure or a wrong format: weights alone are counted, cache hits aside
    for key, anchor in ANCHORS:
        if anchor.decode_tokens_per_s and anchor.concurrency == 1:
            machine = machine_of(BOARDS.get(anchor.board), anchor.mode, on_cpu=anchor.on_cpu)
            rate = anchor_touched(anchor).weights_bytes * anchor.decode_tokens_per_s
            assert rate < machine.bandwidth_bytes_per_s, (key, anchor.model, anchor.format)


def test_every_engine_that_was_published_is_fitted() -> None:
    assert {anchor.engine for _, anchor in ANCHORS if anchor.fitted} == set(EFFICIENCIES.keys())


def test_a_published_format_stores_what_it_says() -> None:
    # Llama 3.1 8B: 6.98e9 numbers in linear layers, output matrix and embedding of 128,256 x 4,096 each
    linear, ends = 6_979_321_856, 128_256 * 4_096
    awq = anchor_shape("llama_3_1_8b", "AWQ").weights_bytes
    assert awq == pytest.approx(linear * 4.15625 / 8 + 2 * 2 * ends, rel=0.001)
    nvfp4 = anchor_shape("llama_3_1_8b", "NVFP4").weights_bytes
    assert nvfp4 == pytest.approx((linear + ends) * 4.5 / 8 + 2 * ends, rel=0.001)
    assert anchor_shape("llama_3_1_8b", "Q4_K_M").weights_bytes == pytest.approx(4.92e9, rel=0.01)


def test_fitting_is_a_matter_of_three_things() -> None:
    anchor = Anchor(board="thor_t5000", engine="vllm", model="qwen3_4b", format="FP16", decode_tokens_per_s=1.0)
    assert anchor.fitted
    assert not Anchor(
        board="thor_t5000", engine="vllm", model="qwen3_4b", format="FP16", decode_tokens_per_s=1.0, unfitted="why"
    ).fitted
