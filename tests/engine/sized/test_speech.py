"""Models for speech on the engines that run them: whisper by its shape, others by their file."""

from __future__ import annotations

import pytest

from memfit.device import find_device
from memfit.engine._engine import Ledger
from memfit.engine.records import Deployment
from memfit.engine.runtimes import ENGINES
from memfit.errors import UnknownArchitecture, UsageError
from memfit.footprint.estimate import estimate, find_models
from memfit.model.speech import SPEECH
from memfit.units import MIB

SIZED = ENGINES.keys()
ROOM = find_device(None, memory_bytes=8 << 30)
# model.bin as CTranslate2 4.8.5 writes it with random weights of the whole shape (benchmarks/whisper.py)
FILES = {
    ("whisper-tiny", "ct2_int8"): 40_456_944,
    ("whisper-base", "ct2_int8"): 76_271_840,
    ("whisper-small", "ct2_int8"): 247_833_222,
    ("whisper-medium", "ct2_int8"): 773_748_266,
    ("whisper-small", "fp32"): 966_701_522,
}
# VmHWM of a Python process that took one window of 30 s with five beams to the most tokens, x86, two threads
PEAKS_MIB = {"whisper-tiny": 185.9, "whisper-base": 249.2, "whisper-small": 556.4, "whisper-medium": 1448.6}


def ledger(model: str, engine: str, format: str | None = None) -> Ledger:
    runtime = ENGINES.get(engine)
    deployment = Deployment(model=model, engine=engine, format=format, options=runtime.profiles["library"])
    return runtime.ledger(find_models(deployment, source="formula"), deployment, ROOM, "library", "formula")


def total(found: Ledger, bound: str) -> int:
    return sum(getattr(term, f"{bound}_bytes") for term in found.terms)


@pytest.mark.parametrize(("model", "format"), FILES)
def test_whisper_takes_what_its_converted_file_has(model: str, format: str) -> None:
    (weights,) = [term for term in ledger(model, "ctranslate2", format).terms if term.name == "weights"]
    assert weights.likely_bytes == pytest.approx(FILES[model, format], rel=0.001)


@pytest.mark.parametrize("model", PEAKS_MIB)
def test_the_bounds_hold_what_was_measured(model: str) -> None:
    found = ledger(model, "ctranslate2")
    assert total(found, "low") < PEAKS_MIB[model] * MIB < total(found, "high")
    assert total(found, "likely") / MIB == pytest.approx(PEAKS_MIB[model], rel=0.15)


@pytest.mark.parametrize("model", list(SPEECH), ids=lambda model: model.name)
@pytest.mark.parametrize("engine", ["onnxruntime", "pytorch"])
def test_every_model_is_sized_where_sessions_run_it(engine: str, model: object) -> None:
    name = model.name  # type: ignore[attr-defined]
    found = estimate(name, device=ROOM, engine=engine, relief=False)
    assert found.verdict.startswith("fits")
    assert found.low_bytes < found.likely_bytes < found.high_bytes
    published = SPEECH.get(name).file_bytes
    if published is not None:
        assert found.model.weights_bytes == published


def test_silero_is_held_by_the_bounds() -> None:
    """51.6 MiB: PSS of ONNX Runtime 1.32 with silero_vad_v6.onnx of faster-whisper 1.2.1 after 50 windows, x86."""
    found = ledger("silero-vad", "onnxruntime")
    assert total(found, "low") < 51.6 * MIB < total(found, "high")


@pytest.mark.parametrize("engine", [key for key in SIZED if key not in ("ctranslate2", "onnxruntime", "pytorch")])
def test_other_engines_refuse_speech_and_say_which_do_not(engine: str) -> None:
    with pytest.raises((UsageError, UnknownArchitecture)) as caught:
        estimate("whisper-small", device=ROOM, engine=engine)
    assert "ctranslate2" in str(caught.value.hint)


def test_a_network_is_none_of_ctranslate2() -> None:
    with pytest.raises(UnknownArchitecture, match="Kokoro-82M is known by its file alone"):
        ledger("Kokoro", "ctranslate2")


def test_whisper_has_no_more_positions_than_it_was_trained_with() -> None:
    found = estimate("whisper-small", device=ROOM, engine="onnxruntime")  # whose default context is 4096
    assert not any("above the trained" in warning for warning in found.warnings)
    assert "448 tokens" in next(term.formula for term in found.terms if term.name == "kv_cache")
