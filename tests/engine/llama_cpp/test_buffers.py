"""What the output buffer starts with and grows to."""

import pytest

from memfit.engine._llama_cpp.buffers import most_output_bytes, output_bytes
from memfit.engine._llama_cpp.settings import resolve
from memfit.engine.records import Options
from memfit.model import find_model
from memfit.units import MIB


@pytest.mark.parametrize(
    ("options", "rows", "width"),
    [
        (Options(slots=2), 2, 0),
        (Options(slots=2, output_rows=9), 9, 0),
        (Options(output_rows=4096), 2048, 0),
        (Options(embeddings=True), 2048, 2048),
        (Options(embeddings=True, batch_tokens=64, slots=3), 64, 2048),
    ],
    ids=["a row a slot", "speculation", "no more than a batch", "embeddings", "embeddings of small batches"],
)
def test_rows_of_a_decoder(options: Options, rows: int, width: int) -> None:
    shape = find_model("Llama-3.2-1B", format="Q4_K_M")
    settings = resolve(shape, options)
    assert output_bytes(shape, settings) == 4 * 128256 * options.slots
    assert most_output_bytes(shape, options, settings) == 4 * (128256 + width) * rows


def test_an_encoder_puts_out_every_token() -> None:
    # observed: a run of 512 tokens held 59.6 MiB, all of it touched
    shape = find_model("all-MiniLM-L6-v2", format="F16")
    options = Options(context_tokens=512, batch_tokens=512)
    assert round(most_output_bytes(shape, options, resolve(shape, options)) / MIB, 1) == 59.6
