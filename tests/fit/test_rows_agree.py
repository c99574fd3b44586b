"""A row, its arithmetic and the command that it prints say the same, whatever was asked for."""

from pathlib import Path

import msgspec
import pytest

from folders import LLAMA, llama_tensors, write_folder
from memfit.device import find_device
from memfit.fit import Fit, FitRow, Wish, fit
from memfit.fit.arithmetic import arithmetic
from memfit.fit.drafts import drafts_of
from memfit.fit.exact import options_of
from memfit.fit.rank import sort_key
from memfit.footprint.estimate import estimate
from memfit.model._build import card_shape
from memfit.model.cards import CARDS
from memfit.model.gguf.writer import write_model
from memfit.precision.presets import PRESETS

NANO = find_device("orin-nano-8gb")
NX = find_device("orin-nx-16gb")
THOR = find_device("thor-t5000")


def gguf(path: Path, key: str, preset: str) -> Path:
    shape = card_shape(CARDS.get(key), preset)
    header = {**CARDS.get(key).header(), "general.file_type": PRESETS.get(preset).file_type}
    write_model(path, header, [(one.name, one.dims, one.format) for one in shape.tensors])
    return path


@pytest.mark.parametrize(
    ("wish", "model"),
    [
        (Wish(engines=("onnxruntime",)), "Qwen3-4B"),
        (Wish(engines=("onnxruntime",), slots=2), "Qwen3-4B"),
        (Wish(engines=("ctranslate2",), slots=2), "Qwen3-1.7B"),
        (Wish(engines=("executorch",), context_tokens=3000), "Qwen3-4B"),
        (Wish(engines=("sglang",)), "Qwen3-1.7B"),
        (Wish(engines=("sglang",), kv_type="FP8"), "Qwen3-1.7B"),
        (Wish(context_tokens=5000), "Qwen3-4B"),
        (Wish(context_tokens=20000), "Qwen3-4B"),
        (Wish(context_tokens=40000), "Qwen3-4B"),
        (Wish(engines=("onnxruntime",), slots=2), "whisper-small"),
    ],
)
def test_the_arithmetic_is_that_of_the_row(wish: Wish, model: str) -> None:
    found = arithmetic(NX, wish, model)
    assert found.footprint.required_bytes == found.row.required_bytes
    assert found.footprint.likely_bytes == found.row.likely_bytes
    assert found.footprint.model.format == found.row.format
    assert (found.speed is None) == (found.row.decode_tokens_per_s is None)


@pytest.mark.parametrize("engine", ["onnxruntime", "ctranslate2", "executorch", "llama_cpp"])
def test_two_requests_take_more_than_one(engine: str) -> None:
    one, two = (
        fit(NX, Wish(engines=(engine,), slots=slots, context_tokens=1024), models=["Qwen3-1.7B"], every_row=True).rows
        for slots in (1, 2)
    )
    alone = {row.format: row.required_bytes for row in one}
    assert two
    assert all(row.required_bytes > alone[row.format] for row in two)


def test_a_kv_type_is_the_engine_s_own_unless_it_is_given() -> None:
    assert options_of(NANO, Wish(), "onnxruntime", 512).kv_type_k == "F32"
    assert options_of(NANO, Wish(), "llama_cpp", 512).kv_type_k == "F16"
    assert options_of(NANO, Wish(kv_type="INT8"), "onnxruntime", 512).kv_type_k == "INT8"


def test_what_was_asked_for_is_tried_where_the_next_larger_context_fails() -> None:
    (row,) = fit(NANO, Wish(context_tokens=20000, formats=("IQ3_S",)), models=["Qwen3-4B"]).rows
    assert (row.verdict, row.context_tokens, row.at_tokens) == ("tight", 20000, 20000)
    options = options_of(NANO, Wish(), "llama_cpp", 20000)
    said = estimate("Qwen3-4B", device=NANO, options=options, format="IQ3_S", profile="server", relief=False)
    assert said.required_bytes == row.required_bytes
    (short,) = fit(NANO, Wish(context_tokens=20000, formats=("Q8_0",)), models=["Qwen3-4B"]).rows
    assert (short.verdict, short.reason) == ("barely", "4k of the 20000 context asked for")


def test_the_trained_context_is_one_of_those_that_are_looked_at() -> None:
    (row,) = fit(NX, Wish(context_tokens=65536), models=["Qwen3-4B"]).rows
    assert (row.context_tokens, row.reason) == (40960, "trained for 40k of the 64k asked for")


def test_a_format_that_was_asked_for_of_a_file_is_that_of_its_arithmetic(tmp_path: Path) -> None:
    file = str(gguf(tmp_path / "model.gguf", "smollm2_135m", "Q8_0"))
    plain, asked = (arithmetic(NANO, Wish(formats=formats), file) for formats in ((), ("q4_k_m",)))
    assert (plain.row.format, plain.row.as_stored, plain.footprint.deployment.format) == ("Q8_0", True, None)
    assert (asked.row.format, asked.row.as_stored, asked.footprint.deployment.format) == ("Q4_K_M", False, "Q4_K_M")
    assert asked.footprint.required_bytes == asked.row.required_bytes < plain.row.required_bytes


def test_a_draft_s_target_has_the_format_that_was_asked_for(tmp_path: Path) -> None:
    file = str(gguf(tmp_path / "model.gguf", "llama_3_2_3b", "Q8_0"))
    plain, asked = (drafts_of(NX, Wish(formats=formats), file) for formats in ((), ("Q4_K_M",)))
    assert asked.drafts[0].required_bytes < plain.drafts[0].required_bytes


def test_a_folder_is_looked_at_in_the_formats_that_it_converts_to(tmp_path: Path) -> None:
    folder = str(write_folder(tmp_path / "small", LLAMA, llama_tensors()))
    found = fit(NANO, Wish(context_tokens=128), models=[folder], every_row=True)
    assert {row.format for row in found.rows} == {"Q8_0", "Q6_K", "Q4_K_M", "Q3_K_M"}
    best = arithmetic(NANO, Wish(context_tokens=128), folder)
    assert best.footprint.deployment.format == best.row.format
    assert best.footprint.required_bytes == best.row.required_bytes


def test_one_engine_that_does_not_take_a_model_of_speech_loses_no_other() -> None:
    found = fit(NANO, Wish(use="speech", engines=("ctranslate2", "onnxruntime", "llama_cpp")))
    assert {"Kokoro-82M", "whisper-small"} <= {row.model for row in found.rows}


def test_a_model_that_no_engine_takes_is_said_to_be_missing() -> None:
    found = fit(NANO, Wish(engines=("llama_cpp",)), models=["Qwen3-4B", "kokoro"])
    assert [row.model for row in found.rows] == ["Qwen3-4B"]
    assert found.notes[0].startswith("Kokoro-82M: none of the engines")


@pytest.mark.parametrize(("use", "model"), [("chat", "silero-vad"), ("vision", "whisper-small")])
def test_a_model_for_speech_is_offered_for_nothing_else(use: str, model: str) -> None:
    (row,) = fit(NANO, Wish(use=use), models=[model]).rows
    assert row.verdict == "no"
    assert row.reason.startswith("not published for")
    assert fit(NANO, Wish(use="speech"), models=[model]).rows[0].verdict != "no"


def test_a_file_of_a_known_model_is_offered_for_what_that_is_for(tmp_path: Path) -> None:
    text = str(gguf(tmp_path / "text.gguf", "smollm2_135m", "Q8_0"))
    vectors = str(gguf(tmp_path / "vectors.gguf", "all_minilm_l6_v2", "F16"))

    def verdict(use: str, model: str) -> str:
        return fit(NANO, Wish(use=use, context_tokens=512), models=[model]).rows[0].verdict

    assert [verdict("chat", text), verdict("embedding", vectors)] == ["comfortable", "comfortable"]
    assert [verdict("vision", text), verdict("embedding", text), verdict("chat", vectors)] == ["no", "no", "no"]


def test_a_speed_that_is_not_known_is_said_not_to_be_held_to_what_was_asked_for() -> None:
    (row,) = fit(find_device(None, memory_bytes=8 << 30), Wish(least_tokens_per_s=10), models=["Qwen3-4B"]).rows
    assert row.reason == "speed not known, not held to 10 tokens/s"
    (vectors,) = fit(NANO, Wish(least_tokens_per_s=600, context_tokens=512), models=["bge-small-en-v1.5"]).rows
    assert (vectors.verdict, vectors.decode_tokens_per_s) == ("comfortable", None)
    assert "not held to 600" in vectors.reason
    notes = fit(find_device(None, memory_bytes=8 << 30), Wish(least_tokens_per_s=10), models=["Qwen3-4B"]).notes
    assert any("--min-tps is not judged" in note for note in notes)


def test_the_nearest_misses_come_first() -> None:
    slow = [row for row in fit(NANO, Wish(use="chat", least_tokens_per_s=600)).rows if row.headroom_bytes >= 0]
    speeds = [row.decode_tokens_per_s or 0 for row in slow]
    assert speeds == sorted(speeds, reverse=True)
    large = [row for row in fit(NANO, Wish(use="chat")).rows if row.verdict == "no"]
    assert [row.headroom_bytes for row in large] == sorted((row.headroom_bytes for row in large), reverse=True)


def test_a_wide_bar_is_no_advantage() -> None:
    (row,) = fit(NANO, Wish(formats=("Q4_K_M",)), models=["Llama-3.2-3B"]).rows
    likely = row.decode_tokens_per_s or 0.0
    sure = msgspec.structs.replace(row, decode_high_tokens_per_s=likely)
    unsure = msgspec.structs.replace(row, decode_high_tokens_per_s=9 * likely)

    def key(one: FitRow) -> tuple[object, ...]:
        return sort_key(one, least_tokens_per_s=likely + 1, prefers="large")

    assert key(sure) == key(unsure)
    assert key(sure)[1] == 2


@pytest.mark.parametrize("engine", ["llama_cpp", "vllm"])
def test_what_its_makers_publish_is_offered_on_engines_of_checkpoints_too(engine: str) -> None:
    (row,) = fit(THOR, Wish(engines=(engine,)), models=["gpt-oss-20b"]).rows
    assert row.format in ("MXFP4_MOE", "mxfp4")
    assert row.quality.words == "as published"


def test_a_format_has_one_spelling() -> None:
    def formats(found: Fit) -> set[str]:
        return {row.format for row in found.rows}

    table = fit(THOR, Wish(engines=("vllm", "onnxruntime")), models=["Qwen3-4B"], every_row=True)
    alone = fit(THOR, Wish(engines=("vllm", "onnxruntime"), slots=2), models=["Qwen3-4B"], every_row=True)
    asked = fit(THOR, Wish(engines=("vllm",), formats=("AWQ",)), models=["Qwen3-4B"])
    assert formats(alone) == formats(table)
    assert {"awq", "onnx_int4"} <= formats(table)
    assert formats(asked) == {"awq"}
    for engine, written, name in (("vllm", "AWQ", "awq"), ("llama_cpp", "q4_k_m", "Q4_K_M")):
        said = estimate("Qwen3-4B", device=THOR, engine=engine, format=written, relief=False, source="formula")
        assert (said.model.format, said.deployment.format) == (name, name)
