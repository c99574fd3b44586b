"""Models without a shape: what is known of them is told, and a name that nobody published leads to those that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from memfit.errors import MemfitError, NotSized, UnknownName
from memfit.model import find_model
from memfit.model.announced import ANNOUNCED
from memfit.model.speech import SPEECH, Speech
from memfit.model.unknown import without_card
from memfit.units import GIB

SILERO = Path(__file__).parents[3] / "shared" / "data" / "models" / "silero_vad.onnx"


def refused(name: str) -> MemfitError:
    with pytest.raises(MemfitError) as caught:
        find_model(name)
    return caught.value


def test_an_announced_model_is_told_by_its_published_size() -> None:
    error = refused("Step 3.5 Flash")
    assert isinstance(error, NotSized)
    assert error.exit_code == 4
    assert "196 billion parameters, 11 billion of them active" in error.message
    assert "step35" in error.message
    assert error.weights_bytes == 196 * 10**9 * 9 // 16  # 4.5 bits
    assert f"{error.weights_bytes / GIB:.2f} GiB" in str(error.hint)
    assert "did you mean" not in str(error.hint)


@pytest.mark.parametrize("model", list(ANNOUNCED), ids=lambda model: model.name)
def test_what_is_announced_says_why_and_where_from(model: object) -> None:
    announced = ANNOUNCED.get(model.name)  # type: ignore[attr-defined]
    assert announced.source
    assert announced.why.split()[0] in ("is", "has")
    assert announced.published == (announced.parameters is not None)
    assert (announced.parameters_active or 0) < (announced.parameters or 1)
    error = without_card(announced.name)
    assert isinstance(error, NotSized if announced.published else UnknownName)
    assert announced.why in f"{error.message} {error.hint}"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Llama 3.3 8B", {"Llama-3.1-8B", "Llama-3.3-70B"}),
        ("llama3.3:8b", {"Llama-3.1-8B", "Llama-3.3-70B"}),
        ("MiMo-1.5B", {"MiMo-7B"}),
        ("Mixtral 8x0.5B (hypothetical)", {"Mixtral-8x7B", "Mixtral-8x22B"}),
        ("Qwen 3 7B", {"Qwen3-8B"}),
        ("whisper-huge", {"whisper-large-v3"}),
    ],
)
def test_a_model_that_does_not_exist_leads_to_those_that_do(name: str, nearest: set[str]) -> None:
    error = refused(name)
    assert isinstance(error, UnknownName)
    assert nearest <= set(error.nearest)


def test_what_cannot_be_sized_is_not_offered_where_others_of_its_family_can() -> None:
    error = refused("Llama 3.4 11B")
    assert isinstance(error, UnknownName)
    assert not set(error.nearest) & {model.name for model in ANNOUNCED}


def test_a_name_like_none_leads_to_the_list() -> None:
    assert "memfit list models" in str(refused("zzzzzz").hint)


@pytest.mark.parametrize("model", list(SPEECH), ids=lambda model: model.name)
def test_a_model_for_speech_has_a_size_and_a_source(model: Speech) -> None:
    assert model.source
    assert model.uses == ("speech",)
    assert (model.config is None) == (model.file_bytes is not None)
    shape = find_model(model.name)
    assert (shape.name, shape.kind, shape.parameters) == (model.name, "speech", model.parameters)
    assert bool(shape.layers) == (model.config is not None)
    if model.file_bytes is not None:  # F32, and what the file holds beside weights
        assert model.parameters * 4 <= model.file_bytes * 1.01


@pytest.mark.parametrize(
    ("name", "width", "layers", "decoder"),
    [("whisper-tiny", 384, 4, 4), ("whisper-medium.en", 1024, 24, 24), ("whisper-large-v3-turbo", 1280, 32, 4)],
)
def test_the_config_of_a_whisper_gives_its_published_parameters(
    name: str, width: int, layers: int, decoder: int
) -> None:
    model = SPEECH.get(name)
    config = model.config
    assert config is not None
    assert (config["d_model"], config["encoder_layers"], config["decoder_layers"]) == (width, layers, decoder)
    attention = 4 * width**2 + 3 * width  # keys have no bias
    feed_forward = 2 * 4 * width**2 + 5 * width
    norm = 2 * width
    encoder = layers * (attention + feed_forward + 2 * norm) + norm
    encoder += 3 * width * config["num_mel_bins"] + width + 3 * width**2 + width + 1500 * width
    decode = decoder * (2 * attention + feed_forward + 3 * norm) + norm
    decode += (config["vocab_size"] + 448) * width
    assert model.parameters == encoder + decode


def test_silero_is_as_large_as_its_file() -> None:
    if not SILERO.exists():
        pytest.skip("no shared data: silero_vad.onnx")
    assert SPEECH.get("silero-vad").file_bytes == SILERO.stat().st_size
