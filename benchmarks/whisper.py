"""What whisper takes on CTranslate2, beside what memfit says: real sizes, random weights, no download.

python benchmarks/whisper.py --write        with a Python that has memfit, ctranslate2 and numpy; minutes

A window of 30 s of sound is heard by a fresh process with five beams, which write as many tokens as they may.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import ctranslate2
import numpy
from ctranslate2.specs import whisper_spec

from measure.machine import describe_machine, today
from measure.tables import replaced, table

RESULTS = Path(__file__).with_name("RESULTS.md")
SIZES = {"tiny": (384, 4), "base": (512, 6), "small": (768, 12), "medium": (1024, 24)}
TOKENS, BANDS, POSITIONS, MOST_TOKENS, HEAD = 51865, 80, 1500, 448, 64
# the tokens that a whisper model must have, by their place in the vocabulary of the multilingual sizes
NAMED = {50257: "<|endoftext|>", 50258: "<|startoftranscript|>", 50362: "<|nospeech|>", 50363: "<|notimestamps|>"}


def main() -> None:
    """Make each size, hear with it, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hear", help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="write the table into RESULTS.md")
    asked = parser.parse_args()
    if asked.hear:
        print(json.dumps(hear(asked.hear)))
        return
    rows = []
    with tempfile.TemporaryDirectory(prefix="memfit-whisper-") as folder:
        for size in SIZES:
            rows.append(_row(size, Path(folder) / size))
            print(*rows[-1], sep=" | ", flush=True)
    text = _text(rows)
    if asked.write:
        RESULTS.write_text(replaced(RESULTS.read_text(), "whisper", text))
    else:
        print(text)


def _row(size: str, folder: Path) -> tuple[str, ...]:
    from memfit.device import find_device
    from memfit.footprint.estimate import estimate

    file_bytes = make(size, folder)
    words = [sys.executable, __file__, "--hear", str(folder)]
    heard = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    said = estimate(f"whisper-{size}", device=find_device(None, memory_bytes=1 << 34), engine="ctranslate2")
    peak = heard["peak_mib"]
    return (
        f"whisper-{size}",
        f"{file_bytes / 2**20:.1f}",
        f"{said.model.weights_bytes / 2**20:.1f}",
        f"{heard['tokens']}",
        f"{peak:.0f}",
        f"{said.likely_bytes / 2**20:.0f} ({said.low_bytes / 2**20:.0f} to {said.high_bytes / 2**20:.0f})",
        f"{said.likely_bytes / 2**20 / peak:.2f}×",
    )


def _text(rows: list[tuple[str, ...]]) -> str:
    head = ("model, 8 bits", "model.bin", "memfit", "tokens", "peak RSS", "memfit: likely (low to high)", "ratio")
    where = f"CTranslate2 {ctranslate2.__version__} on the processor, two threads; {describe_machine()}"
    return f"{table(head, rows)}\n\nMeasured {today()}, MiB, {where}."


def make(size: str, folder: Path) -> int:
    """Write a model of this size with random weights in 8 bits; the bytes of its file."""
    width, layers = SIZES[size]
    random = numpy.random.default_rng(0)

    def numbers(*shape: int) -> Any:
        return random.standard_normal(shape, dtype=numpy.float32) * numpy.float32(0.02)

    def norm(spec: Any) -> None:
        spec.gamma, spec.beta = numpy.ones(width, numpy.float32), numpy.zeros(width, numpy.float32)

    def linear(spec: Any, rows: int, columns: int) -> None:
        spec.weight, spec.bias = numbers(rows, columns), numbers(rows)

    def block(spec: Any, attentions: tuple[Any, ...]) -> None:
        for attention in attentions:
            norm(attention.layer_norm)
            wide = (3,) if len(attention.linear) == 2 else (1, 2)  # Q, K and V in one, or K and V of what was heard
            for index, times in enumerate((*wide, 1)):
                linear(attention.linear[index], times * width, width)
        norm(spec.ffn.layer_norm)
        linear(spec.ffn.linear_0, 4 * width, width)
        linear(spec.ffn.linear_1, width, 4 * width)

    spec = whisper_spec.WhisperSpec(layers, width // HEAD, layers, width // HEAD)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = numbers(width, BANDS, 3), numbers(width)
    encoder.conv2.weight, encoder.conv2.bias = numbers(width, width, 3), numbers(width)
    encoder.position_encodings.encodings = numbers(POSITIONS, width)
    norm(encoder.layer_norm)
    for layer in encoder.layer:
        block(layer, (layer.self_attention,))
    decoder.embeddings.weight = numbers(TOKENS, width)
    decoder.projection.weight = decoder.embeddings.weight
    decoder.position_encodings.encodings = numbers(MOST_TOKENS, width)
    decoder.scale_embeddings = False
    norm(decoder.layer_norm)
    for layer in decoder.layer:
        block(layer, (layer.self_attention, layer.attention))
    spec.register_vocabulary([NAMED.get(index, f"t{index}") for index in range(TOKENS)])
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir()
    spec.save(str(folder))
    return (folder / "model.bin").stat().st_size


def hear(folder: str) -> dict[str, float]:
    """One window of sound; the tokens written, and this process' peak."""
    model = ctranslate2.models.Whisper(folder, device="cpu", compute_type="int8", intra_threads=2)
    sound = numpy.random.default_rng(1).standard_normal((1, BANDS, 2 * POSITIONS), dtype=numpy.float32)
    prompt = [index for index, name in NAMED.items() if name in ("<|startoftranscript|>", "<|notimestamps|>")]
    end = [index for index, name in NAMED.items() if name == "<|endoftext|>"]
    (result,) = model.generate(
        ctranslate2.StorageView.from_array(sound), [prompt], beam_size=5, suppress_tokens=end, suppress_blank=False
    )
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return {"tokens": len(result.sequences_ids[0]), "peak_mib": peak / 1024}


if __name__ == "__main__":
    main()
