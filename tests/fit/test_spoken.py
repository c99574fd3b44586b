"""Models for speech in a search."""

import pytest

from memfit.device import find_device
from memfit.fit import Wish, fit
from memfit.fit.arithmetic import arithmetic
from memfit.fit.boards import boards_of
from memfit.footprint.estimate import estimate
from memfit.model.speech import SPEECH

NANO = find_device("orin-nano-8gb")


def test_the_use_is_served_by_all_of_them_on_what_usually_runs_them() -> None:
    found = fit(NANO, Wish(use="speech", context_tokens=448))
    assert {row.model for row in found.rows if row.task} == {model.name for model in SPEECH}
    for row in found.rows:
        if row.task:
            model = SPEECH.get(row.model)
            assert (row.engine, row.task) == (model.engine, model.task)
            assert row.decode_tokens_per_s is None


def test_no_other_use_lists_them() -> None:
    assert not [row for row in fit(NANO, Wish(use="chat")).rows if row.task]
    assert not [row for row in fit(NANO).rows if row.task]


@pytest.mark.parametrize("name", ["whisper-small.en", "Kokoro"])
def test_a_row_is_what_estimate_says(name: str) -> None:
    (row,) = fit(NANO, models=[name]).rows
    found = arithmetic(NANO, Wish(), name)
    assert (found.row, found.traffic, found.speed) == (row, (), None)
    assert row.required_bytes == found.footprint.required_bytes
    format = row.format if row.context_trained_tokens else None
    options = found.footprint.deployment.options
    alone = estimate(name, device=NANO, engine=row.engine, format=format, options=options, relief=False)
    assert alone.required_bytes == row.required_bytes


def test_formats_and_engines_can_be_asked_for() -> None:
    wish = Wish(engines=("ctranslate2", "onnxruntime", "vllm"), formats=("fp32",))
    rows = fit(NANO, wish, models=["whisper-small", "silero"], every_row=True).rows
    assert {(row.model, row.engine, row.format) for row in rows} == {
        ("whisper-small", "ctranslate2", "fp32"),
        ("whisper-small", "onnxruntime", "fp32"),
    }


def test_the_smallest_board_is_found() -> None:
    assert boards_of("whisper-large-v3", Wish()).smallest == "Xavier NX 8GB"
