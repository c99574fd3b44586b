"""What is said to run where, and in which order."""

import msgspec
import pytest

from memfit.device import Device, find_device
from memfit.engine.records import Options
from memfit.errors import ModelError, UnknownName, UsageError
from memfit.fit import Fit, FitRow, Wish, fit
from memfit.fit.arithmetic import arithmetic
from memfit.fit.boards import boards_of
from memfit.fit.formats import bits_of, loss_of, quality_of
from memfit.fit.judge import COMFORTABLE_SHARE
from memfit.fit.rank import score
from memfit.fit.uses import USES
from memfit.footprint.estimate import estimate
from memfit.footprint.records import Footprint
from memfit.model.cards import CARDS
from memfit.model.cards._card import USES as PUBLISHED_USES
from memfit.units import GIB, MIB

NANO = find_device("orin-nano-8gb")
EVERY = Wish(engines=("llama_cpp", "ollama", "vllm", "tensorrt_edge_llm", "mlc"))


def names(found: Fit) -> list[str]:
    return [row.model for row in found.rows]


def row_of(found: Fit, name: str) -> FitRow:
    return next(row for row in found.rows if row.model == name)


def as_served(model: str, format: str, tokens: int) -> Footprint:
    """What estimate says of ``llama-server -np 1 --cache-ram 0 --ctx-checkpoints 0``."""
    options = Options(context_tokens=tokens, output_rows=1, full_window_cache=False, backend="cuda")
    return estimate(
        model, device=NANO, options=options, format=format, profile="server", source="formula", relief=False
    )


def test_a_row_says_what_estimate_says() -> None:
    row = row_of(fit(NANO, Wish(context_tokens=8192, formats=("Q4_K_M",))), "Llama-3.2-3B")
    said = as_served("Llama-3.2-3B", "Q4_K_M", 8192)
    assert row.likely_bytes == said.likely_bytes
    assert row.high_bytes == said.high_bytes
    assert row.required_bytes == said.required_bytes
    assert row.headroom_bytes == said.headroom_bytes


def test_verdicts_follow_from_the_memory() -> None:
    for row in fit(NANO, EVERY, every_row=True).rows:
        spare = row.headroom_bytes
        if row.verdict == "comfortable":
            assert spare >= COMFORTABLE_SHARE * NANO.capacity_bytes
            assert not row.reason
        elif row.verdict == "tight":
            assert 0 <= spare < COMFORTABLE_SHARE * NANO.capacity_bytes
        elif row.verdict == "no":
            assert spare < 0
            assert row.context_tokens == 0
        if row.verdict != "comfortable":
            assert row.reason
        if row.verdict in ("comfortable", "tight"):
            assert row.context_tokens >= min(EVERY.context_tokens, row.context_trained_tokens)


def test_more_memory_never_takes_a_model_away() -> None:
    order = {"comfortable": 0, "tight": 1, "barely": 2, "no": 3}
    small, large = (
        {(row.model, row.format): row for row in fit(device, Wish(), every_row=True).rows}
        for device in (NANO, msgspec.structs.replace(NANO, capacity_bytes=12 * GIB))
    )
    for key, row in small.items():
        assert order[large[key].verdict] <= order[row.verdict]
        assert large[key].context_tokens >= row.context_tokens


def test_the_best_come_first_and_what_does_not_fit_last() -> None:
    rows = fit(NANO, Wish(use="chat")).rows
    order = [("comfortable", "tight", "barely", "no").index(row.verdict) for row in rows]
    assert order == sorted(order)
    comfortable = [row for row in rows if row.verdict == "comfortable"]
    fast = [row.score for row in comfortable if (row.decode_tokens_per_s or 0) >= USES.get("chat").least_tokens_per_s]
    assert fast == sorted(fast, reverse=True)


@pytest.mark.parametrize("use", USES.keys())
def test_every_use_is_served_by_models_that_are_published_for_it(use: str) -> None:
    if use == "speech":
        return  # its models have no cards: see test_spoken.py
    found = fit(find_device("thor-t5000"), Wish(use=use))
    assert found.rows
    for row in found.rows:
        assert set(CARDS.get(row.model).uses) & set(USES.get(use).needs)
    assert found.left_out + len(found.rows) >= len(CARDS.keys()) - 5


def test_uses_need_what_cards_can_say_and_advise_what_exists() -> None:
    for use in USES:
        assert set(use.needs) <= set(PUBLISHED_USES)
        for name in use.advised:
            assert CARDS.get(name).name == name
            assert set(CARDS.get(name).uses) & set(use.needs), (name, use.summary)


def test_what_the_documents_advise_is_marked_and_comfortable_on_the_board_they_write_of() -> None:
    for key in ("chat", "classification", "reasoning", "bilingual", "long_context"):
        rows = fit(NANO, Wish(use=key, context_tokens=min(USES.get(key).context_tokens, 8192))).rows
        for name in USES.get(key).advised:
            row = next(row for row in rows if row.model == name)
            assert row.named
            assert row.verdict in ("comfortable", "tight"), (key, row)


def test_a_format_that_the_chip_cannot_run_is_not_shown() -> None:
    thor, xavier = (
        {row.format for row in fit(find_device(name), Wish(engines=("vllm",)), every_row=True).rows}
        for name in ("thor-t5000", "xavier-nx-8gb")
    )
    assert "nvfp4" in thor
    assert xavier < thor


def test_slower_than_asked_for_is_no_answer() -> None:
    found = fit(NANO, Wish(least_tokens_per_s=30))
    for row in found.rows:
        if row.verdict != "no" and row.decode_tokens_per_s is not None:
            assert row.decode_tokens_per_s >= 30
    slow = row_of(found, "Qwen3-4B")
    assert slow.verdict == "no"
    assert "below 30" in slow.reason


def test_a_last_resort_is_said_to_be_one() -> None:
    row = row_of(fit(NANO, Wish(), models=("Qwen3-14B",)), "Qwen3-14B")
    assert row.verdict == "barely"
    assert "a last resort" in row.reason


def test_models_are_taken_by_name_and_unknown_ones_are_refused() -> None:
    assert names(fit(NANO, models=("Qwen3-8B", "llama 3.2 1b"))) in (
        ["Qwen3-8B", "Llama-3.2-1B"],
        ["Llama-3.2-1B", "Qwen3-8B"],
    )
    with pytest.raises(UnknownName, match=r"Llama-3\.3-8B|Llama 3.3 8B"):
        fit(NANO, models=("Llama 3.3 8B",))
    with pytest.raises(UnknownName):
        fit(NANO, Wish(use="cooking"))
    with pytest.raises(ModelError):
        fit(NANO, models=("./none.gguf",))


def test_options_of_ones_own_are_predicted_one_by_one() -> None:
    plain = row_of(fit(NANO, Wish(formats=("Q4_K_M",)), models=("Llama-3.2-3B",)), "Llama-3.2-3B")
    many = row_of(fit(NANO, Wish(formats=("Q4_K_M",), slots=4), models=("Llama-3.2-3B",)), "Llama-3.2-3B")
    small = row_of(fit(NANO, Wish(formats=("Q4_K_M",), kv_type="Q8_0"), models=("Llama-3.2-3B",)), "Llama-3.2-3B")
    assert small.required_bytes < plain.required_bytes < many.required_bytes
    assert many.required_bytes - plain.required_bytes > 3 * 400 * MIB


def test_a_machine_without_a_gpu_is_predicted_too() -> None:
    here = Device(
        name="this machine", unified=False, capacity_bytes=4 * GIB, instructions=("avx2",), threads=2, grade="stated",
        source="made up",
    )  # fmt: skip
    row = row_of(fit(here, Wish(), models=("Llama-3.2-1B",)), "Llama-3.2-1B")
    assert row.verdict == "comfortable"
    assert row.decode_tokens_per_s is None


def test_the_smallest_board() -> None:
    found = boards_of("Qwen3-14B", Wish())
    assert found.smallest == "Orin NX 16GB"
    capacities = [one.capacity_bytes for one in found.boards]
    assert capacities == sorted(capacities)
    assert boards_of("DeepSeek-V3", Wish()).smallest is None


def test_the_prior_is_the_rule_that_is_told() -> None:
    assert score(8_000_000_000, 8_000_000_000, "2024-07", "Q4_K_M") > score(
        8_000_000_000, 8_000_000_000, "2024-07", "Q2_K"
    )
    assert score(8_000_000_000, 8_000_000_000, "2025-07", "Q4_K_M") == pytest.approx(
        score(8_000_000_000, 8_000_000_000, "2024-07", "Q4_K_M") + 1, abs=0.01
    )
    assert score(4_000_000_000, 1_000_000_000, None, "Q8_0") == score(2_000_000_000, 2_000_000_000, None, "Q6_K")


def test_formats_are_known_by_what_they_cost() -> None:
    assert quality_of("Q8_0").words == "near lossless"
    assert quality_of("Q4_K_M").words == "good"
    assert quality_of("Q2_K").words == "poor"
    losses = [loss_of(name) for name in ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")]
    assert losses == sorted(losses)
    assert bits_of("awq") == pytest.approx(4.25, abs=0.2)
    assert loss_of("nothing") == 0.0


def test_a_context_above_the_trained_one_is_never_comfortable() -> None:
    (row,) = fit(find_device("thor-t5000"), Wish(context_tokens=32768), models=["TinyLlama-1.1B"]).rows
    assert (row.verdict, row.context_tokens) == ("barely", 2048)
    assert row.reason == "trained for 2k of the 32k asked for"


def test_where_context_is_short_the_format_with_the_most_of_it_is_shown() -> None:
    wish = Wish(context_tokens=32768)
    (best,) = fit(NANO, wish, models=["Qwen3-4B"]).rows
    every = [row for row in fit(NANO, wish, models=["Qwen3-4B"], every_row=True).rows if row.quality.words != "poor"]
    assert best.context_tokens == max(row.context_tokens for row in every)
    assert best.reason.endswith("of the 32k context asked for")


def test_the_bytes_of_a_row_are_those_of_its_own_context() -> None:
    (row,) = fit(NANO, Wish(use="chat"), models=["Gemma-4-E2B"]).rows
    assert row.context_tokens > row.at_tokens == 4096
    assert as_served("Gemma-4-E2B", row.format, row.at_tokens).required_bytes == row.required_bytes


def test_a_model_that_is_not_published_for_the_use_is_not_offered_for_it() -> None:
    (row,) = fit(NANO, Wish(use="vision"), models=["Llama-3.2-1B"]).rows
    assert (row.verdict, row.reason) == ("no", "not published for images and text")


def test_what_was_published_in_four_bits_is_looked_at_in_four_bits() -> None:
    rows = fit(find_device("agx-orin-64gb"), models=["gpt-oss-20b"], every_row=True).rows
    assert rows[0].format == "MXFP4_MOE"
    assert rows[0].quality.words == "as published"
    assert not {"F16", "Q8_0", "Q6_K"} & {row.format for row in rows}


def test_weights_far_beyond_the_memory_are_no_answer_even_where_they_could_be_mapped() -> None:
    (row,) = fit(find_device(None, memory_bytes=8 * GIB), models=["DeepSeek-R1"]).rows
    assert row.verdict == "no"


@pytest.mark.parametrize("format", ["Q4_1", "IQ4_NL", "mxfp4_moe"])
def test_formats_that_are_not_in_the_table_are_predicted(format: str) -> None:
    rows = fit(find_device("thor-t5000"), Wish(formats=(format,)), models=["gpt-oss-20b"]).rows
    assert [row.verdict for row in rows] == ["comfortable"]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(formats=("awq",)), "llama.cpp takes presets of GGUF"),
        (Wish(engines=("vllm",), formats=("Q4_K_M",)), "vLLM takes formats of checkpoints"),
        (Wish(engines=("vllm",), kv_type="Q8_0"), "vLLM has no KV cache in Q8_0"),
    ],
)
def test_what_no_engine_takes_is_said_and_not_that_nothing_fits(wish: Wish, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        fit(NANO, wish, models=["Qwen3-4B"])


def test_an_engine_of_the_processor_is_not_asked_what_the_gpu_can() -> None:
    rows = fit(NANO, Wish(engines=("executorch",)), models=["Qwen3-4B"]).rows
    assert [(row.engine, row.verdict) for row in rows] == [("executorch", "tight")]


def test_what_writes_no_text_has_no_speed_of_writing() -> None:
    rows = fit(NANO, Wish(use="embedding", context_tokens=512)).rows
    assert rows
    assert all(row.decode_tokens_per_s is None and row.prefill_tokens_per_s for row in rows if row.verdict != "no")


def test_a_context_between_those_of_the_table_is_sized_at_the_next_and_says_so() -> None:
    found = fit(NANO, Wish(context_tokens=5000), models=["Qwen3-4B"])
    assert found.rows[0].at_tokens == 6144
    assert any("next larger context" in note for note in found.notes)


@pytest.mark.parametrize("engine", ["llama_cpp", "executorch"])
def test_the_arithmetic_has_the_speed_of_the_row(engine: str) -> None:
    found = arithmetic(NANO, Wish(engines=(engine,)), "Qwen3-4B")
    assert found.speed is not None
    assert found.row.decode_tokens_per_s == pytest.approx(found.speed.decode.likely, abs=0.06)
