"""Writes the model card from the manifest, so that no figure in it is typed by hand."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from typing import Any

from tiny import manifest


def render(content: dict[str, Any]) -> str:
    """The card's text.

    Args:
        content: a whole ``manifest.json``.
    """
    parts = [_introduction(content), _architecture(content), _data(content), _training(content), _quality(content)]
    return "\n\n".join(paragraph for part in parts for paragraph in part) + "\n"


def _introduction(content: dict[str, Any]) -> list[str]:
    files = [(f"`{name}`", f"{file['bytes']:,}", f"`{file['sha256']}`") for name, file in content["files"].items()]
    return [
        "<!-- written by tools/tiny/card.py from manifest.json -->\n# memfit-tiny",
        _text(f"""
            A language model of Python source with {content["parameters"]:,} parameters, made for this project, so that
            what memfit says about memory and precision can be tried on real weights, on any machine and without a
            download: it loads in llama.cpp, has a real tokenizer, and gets measurably worse as its weights get fewer
            bits. It is a test piece, not an assistant."""),
        _table(("file", "bytes", "sha256"), files),
        "The second file holds importances in llama.cpp's imatrix format, for `llama-quantize --imatrix`.",
        _text("""
            Licence of both: Apache-2.0. They were trained on the CPython standard library, which is under the
            [PSF licence](https://docs.python.org/3/license.html)."""),
    ]


def _architecture(content: dict[str, Any]) -> list[str]:
    sizes = content["sizes"]
    return [
        "## Architecture",
        _text(f"""
            llama: {sizes["n_layer"]} layers, hidden size {sizes["n_embd"]}, {sizes["n_head"]} query heads and
            {sizes["n_head_kv"]} key-value heads of {sizes["n_embd"] // sizes["n_head"]} channels, feed-forward
            {sizes["n_ff"]} (SwiGLU), RMSNorm (epsilon {sizes["rms_epsilon"]:g}), rotary base {sizes["rope_base"]:g},
            separate input and output embeddings, trained for contexts up to {sizes["n_ctx_train"]} tokens. Matrices are
            F16, norms F32. The length of every row is a multiple of 256, the super-block of the K-quants, so that no
            preset falls back to another type."""),
        _text(f"""
            Tokenizer: byte-level BPE, {sizes["n_vocab"]} ids, splitting rule `gpt-2`; `<|endoftext|>`, the last id,
            begins and separates texts. The engine's ids equal the training tokenizer's on the samples in
            `manifest.json`; the tests hold it to that."""),
    ]


def _data(content: dict[str, Any]) -> list[str]:
    corpus, run = content["corpus"], content["run"]
    return [
        "## Data",
        _text(f"""
            The Python sources of the standard library of CPython {run["python"]}, without tests, IDLE, encodings and
            generated tables: {corpus["documents"]} files, {corpus["bytes"]:,} bytes, {corpus["tokens"]:,} tokens.
            sha256 of all texts: `{corpus["sha256"]}`."""),
        _text(f"""
            Held out from tokenizer and weights, for evaluation ({corpus["held_out_bytes"]:,} bytes,
            {corpus["held_out_tokens"]:,} tokens): {", ".join(f"`{name}`" for name in corpus["held_out_modules"])}."""),
    ]


def _training(content: dict[str, Any]) -> list[str]:
    recipe, run, curve = content["recipe"], content["run"], content["curve"]
    shares = " and ".join(
        f"{share['steps']} steps of {share['windows']} windows of {share['length_tokens']} tokens"
        for share in recipe["shares"]
    )
    points = [curve[max(math.ceil(len(curve) * part) - 1, 0)] for part in (1 / 60, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)]
    return [
        "## Training",
        _text(f"""
            AdamW, peak rate {recipe["peak_rate"]:g} with cosine decay, weight decay {recipe["weight_decay"]:g},
            bfloat16 matrix products; {shares}, shuffled: {recipe["tokens"]:,} tokens,
            {recipe["tokens"] / content["corpus"]["tokens"]:.1f} passes. Mean training loss before each step, in nats
            per token:"""),
        _table(
            ("step", *(str(point["step"]) for point in points)),
            [("loss", *(f"{point['loss']:.3f}" for point in points))],
        ),
        _text(f"""
            It took {run["elapsed_s"] / 60:.0f} minutes ({run["cpu_s"] / 60:.0f} CPU minutes) on {run["cores"]} cores
            of an {run["cpu"]}, shared with other work, with torch {run["torch"]}. In a virtual environment, the last of
            these commands makes everything in this folder again:"""),
        "    pip install torch==2.13.0 llama-cpp-python==0.3.36 -e .\n    python tools/train_tiny.py",
        _text("""
            Seeds are fixed and every operation is deterministic: two runs of 42 steps on that machine gave the same
            bytes. Another processor or another version of the library gives other weights. After so many passes part
            of the training text is memorised; only figures on held-out text speak of quality."""),
    ]


def _quality(content: dict[str, Any]) -> list[str]:
    presets = content["presets"]
    full = presets["F16"]["plain"]
    bits_per_nat = content["corpus"]["held_out_tokens"] / content["corpus"]["held_out_bytes"] / math.log(2)
    guesses = [(name, math.exp(loss), loss * bits_per_nat) for name, loss in content["baselines"].items()]
    written = [(name, preset) for name, preset in presets.items() if preset.get("bytes")]
    refused = ", ".join(name for name, preset in presets.items() if not preset.get("bytes")) or "none"
    fallbacks = ", ".join(name for name, preset in presets.items() if preset.get("fallback")) or "none"
    return [
        "## Quality",
        _text(f"""
            Perplexity on the held-out modules, computed from the engine's logits as `llama-perplexity -c 512` does:
            windows of 512 tokens, the later half of each predicted; one window in {content["stride"]},
            {full["tokens"]:,} predicted tokens. The baselines are counted on the training text and judged on every
            held-out token."""),
        _table(
            ("predictor", "perplexity", "bits per byte"),
            [
                (name, f"{perplexity:,.1f}", f"{bits:.2f}")
                for name, perplexity, bits in [
                    *guesses,
                    ("memfit-tiny, F16", full["perplexity"], full["bits_per_byte"]),
                ]
            ],
        ),
        _text(f"""
            At each preset of llama.cpp, quantized from the F16 file without and with the importances in
            `{manifest.IMPORTANCE}` (a dash where the engine demands them). Presets for which a tensor fell back to
            another type: {fallbacks}. Presets that this engine cannot write for any model: {refused}."""),
        _table(
            ("preset", "bytes", "bits per weight", "perplexity", "with importances"),
            [
                (
                    name,
                    f"{preset['bytes']:,}",
                    f"{preset['bytes'] * 8 / content['parameters']:.2f}",
                    _perplexity(preset["plain"]),
                    _perplexity(preset["with_importance"]),
                )
                for name, preset in sorted(written, key=lambda item: -item[1]["bytes"])
            ],
        ),
        _text("""
            Bits per weight count the whole file, tokenizer included. TQ and Q1 presets are meant for models trained
            with weights of few values; MXFP4_MOE gives that type to expert tensors only, and this model has none, so it
            is Q8_0. `--stride 1` measures every window, and then prints what `llama-perplexity` prints. The commands
            that produce the table, all of it into this file or some rows onto the screen:"""),
        "    python tools/measure_tiny.py\n"
        "    python tools/measure_tiny.py Q4_K_M Q2_K\n"
        "    python tools/measure_tiny.py --no-importance Q4_K_M Q2_K",
    ]


def _text(words: str) -> str:
    """A paragraph, wrapped to the width of the code."""
    return textwrap.fill(" ".join(words.split()), 120, break_long_words=False, break_on_hyphens=False)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _perplexity(score: dict[str, Any] | None) -> str:
    return f"{score['perplexity']:.2f}" if score else "–"
