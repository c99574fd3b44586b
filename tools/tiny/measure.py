"""Measures the shipped model with the real engine at every preset, and writes the figures into manifest and card."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tiny import card, corpus, engine, manifest

STRIDE = 3
"""Every third window of the held-out text is measured: 15 thousand predicted tokens, seconds per preset."""

FALLBACK = "required fallback quantization"
"""What the engine logs when a tensor could not take the type that the preset asks for (src/llama-quant.cpp)."""

KNOWN_REFUSALS = ("requires an i", "invalid output file type")
"""What the engine says of every model: presets that demand importances, presets it cannot write (NVFP4)."""


def measure(folder: Path) -> None:
    """Check tokenizer and presets, measure perplexities, complete ``manifest.json`` and write ``README.md``.

    Raises:
        EngineError: the engine refuses the model or a preset.
        ValueError: the engine's token ids differ from the training tokenizer's.
    """
    content = manifest.read(folder)
    samples = content["samples"]
    if engine.tokenize(folder / manifest.MODEL, [sample["text"] for sample in samples]) != [s["ids"] for s in samples]:
        raise ValueError("the engine tokenizes the samples differently from the training tokenizer")
    text = held_out_text()
    content["stride"] = STRIDE
    content["presets"] = {name: _preset(folder, name, text) for name in engine.presets()}
    manifest.write(folder, content)
    (folder / manifest.CARD).write_text(card.render(content), encoding="utf-8")


def held_out_text() -> str:
    """The held-out modules of the running interpreter's library, one after the other."""
    return "".join(text for _, text in corpus.collect().held_out)


def _preset(folder: Path, preset: str, text: str) -> dict[str, Any]:
    """Size and perplexity at one preset, with and without importances; None where the engine demands them."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "quantized.gguf"
        result: dict[str, Any] = {"plain": None, "with_importance": None}
        for kind, importance in (("plain", None), ("with_importance", folder / manifest.IMPORTANCE)):
            try:
                log = engine.quantize(folder / manifest.MODEL, target, preset, importance=importance)
            except engine.EngineError as refusal:
                if not any(known in str(refusal) for known in KNOWN_REFUSALS):
                    raise
                continue
            score = engine.score(target, text, stride=STRIDE)
            result[kind] = {
                "perplexity": score.perplexity,
                "bits_per_byte": score.bits_per_byte,
                "tokens": score.tokens,
            }
            result["bytes"] = target.stat().st_size
            result["fallback"] = FALLBACK in log
            print(f"{preset:8} {kind:16} {result['bytes']:>10} {score.perplexity:9.3f}", flush=True)
    return result


def fit(folder: Path, preset: str) -> str:
    """One line: preset, and whether every tensor takes the type it asks for, found out without quantizing.

    Args:
        folder: the model's folder.
        preset: the engine's name of a file type.
    """
    try:
        log = engine.quantize(folder / manifest.MODEL, Path("unwritten.gguf"), preset, dry_run=True)
    except engine.EngineError as refusal:
        return str(refusal).strip()
    return f"{preset} {'falls back' if FALLBACK in log else 'fits'}"


def line(folder: Path, preset: str, text: Path | None, stride: int, *, importance: bool) -> str:
    """One line: preset, file bytes, perplexity, bits per byte, predicted tokens.

    Args:
        folder: the model's folder.
        preset: the engine's name of a file type, such as ``Q4_K_M``.
        text: a file of at least 512 tokens; the held-out modules when None.
        stride: measure every so many windows of 512 tokens.
        importance: quantize with the importances that lie beside the model.
    """
    content = text.read_text(encoding="utf-8") if text else held_out_text()
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "quantized.gguf"
        engine.quantize(
            folder / manifest.MODEL, target, preset, importance=folder / manifest.IMPORTANCE if importance else None
        )
        score = engine.score(target, content, stride=stride)
        return f"{preset} {target.stat().st_size} {score.perplexity:.4f} {score.bits_per_byte:.4f} {score.tokens}"
