"""The model tables of 'LLM Optimization on Jetson' beside what memfit says; part of docs/worked_examples.md."""

from __future__ import annotations

from dataclasses import dataclass

from memfit.device import Device, find_device
from memfit.fit import FitRow, Wish, fit
from memfit.model import find_model
from memfit.model._build import card_shape
from memfit.model.cards import CARDS
from memfit.model.schemes import in_scheme
from memfit.units import format_tokens

GB = 10**9
NANO = "orin-nano-8gb"


@dataclass(frozen=True)
class Told:
    """A row of the document's §2.1: GB in Q4_K_M, the context it gives, tokens/s as it estimates them."""

    tier: str
    model: str
    gigabytes: float
    context: str
    tokens_per_s: float | None


TIERS = (
    Told("1, comfortably", "TinyLlama-1.1B", 0.6, "2K", 65),
    Told("1, comfortably", "Llama-3.2-1B", 0.7, "128K", 55),
    Told("1, comfortably", "StableLM-2-1.6B", 0.9, "4K", 45),
    Told("1, comfortably", "Gemma-3-1B", 0.6, "32K", 60),
    Told("1, comfortably", "Gemma-2-2B", 1.5, "8K", 35),
    Told("1, comfortably", "Qwen3-1.7B", 1.0, "32K", 50),
    Told("1, comfortably", "SmolLM2-1.7B", 1.0, "8K", 50),
    Told("1, comfortably", "Llama-3.2-3B", 1.8, "128K", 25),
    Told("1, comfortably", "Qwen2.5-3B", 1.7, "32K", 28),
    Told("2, fits but tight", "Phi-4-mini", 2.3, "4K/128K", 20),
    Told("2, fits but tight", "Phi-3-mini-4k", 2.2, "4K/128K", 20),
    Told("2, fits but tight", "Qwen3-4B", 2.4, "32K", 18),
    Told("2, fits but tight", "Gemma-3-4B", 2.5, "128K", 17),
    Told("2, fits but tight", "Mistral-7B-v0.3", 4.1, "32K", 11),
    Told("2, fits but tight", "Qwen3-8B", 4.9, "32K", 9),
    Told("3, barely", "Llama-3.1-8B", 4.7, "512–1K", 9),
    Told("3, barely", "Mistral-Nemo-12B", 7.0, "256", 5),
    Told("3, barely", "Phi-4", 8.4, "won't fit", None),
)
# GB in each preset of a 3B model (§1.4)
LEVELS = (("Q2_K", 1.0), ("Q3_K_M", 1.3), ("Q4_K_M", 1.8), ("Q5_K_M", 2.2), ("Q6_K", 2.5), ("Q8_0", 3.0))
# the smallest module by §2.2
LARGER = (
    ("Phi-4", 8.4, "Orin NX 16 GB"),
    ("Qwen2.5-Coder-14B", 8.6, "Orin NX 16 GB"),
    ("Mistral-Small-24B", 14.0, "AGX Orin 32 GB"),
    ("DeepSeek-R1-Distill-Qwen-32B", 19.0, "AGX Orin 32 GB"),
    ("Llama-3.3-70B", 42.0, "AGX Orin 64 GB"),
    ("Qwen3-235B-A22B", 60.0, "multi-GPU or cloud"),
    ("DeepSeek-V3", 380.0, "multi-GPU cluster"),
)
# prompt and generation of §10, Orin Nano Super at 25 W, context 2048
SPEEDS = (
    ("TinyLlama-1.1B", 200, 65),
    ("Llama-3.2-1B", 170, 55),
    ("Gemma-2-2B", 85, 35),
    ("Llama-3.2-3B", 65, 25),
    ("Phi-3-mini-4k", 50, 20),
)


def sections() -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """Titles with rows of what, document, memfit, why."""
    return [
        ("## LLM Optimization on Jetson §1.4: levels of a 3B model", _levels()),
        ("## LLM Optimization on Jetson §2.1: what runs on Orin Nano 8GB, in Q4_K_M", _tiers()),
        ("## LLM Optimization on Jetson §2.2: the smallest module", _larger()),
        ("## LLM Optimization on Jetson §10: speed on Orin Nano Super, 25 W", _speeds()),
        ("## Maximizing Memory Efficiency, Table 4 and the size of models on 8 GB", _table_4()),
    ]


def _levels() -> list[tuple[str, str, str, str]]:
    rows = []
    for preset, told in LEVELS:
        shape = find_model("Llama-3.2-3B", format=preset)
        bits = 8 * shape.weights_bytes / shape.parameters
        why = f"3.21 B parameters at {bits:.2f} bits, wider tensors among them; the text counts 3 B"
        rows.append((f"Llama-3.2-3B in {preset}", f"~{told} GB", f"{shape.weights_bytes / GB:.2f} GB", why))
    return rows


def _row(
    model: str, device: Device, *, context: int = 512, formats: tuple[str, ...] = ("Q4_K_M",), mode: str = ""
) -> FitRow:
    wish = Wish(context_tokens=context, formats=formats, power_mode=mode)
    return fit(device, wish, models=(model,)).rows[0]


def _tiers() -> list[tuple[str, str, str, str]]:
    device = find_device(NANO)
    rows = []
    for told in TIERS:
        row = _row(told.model, device)
        speed = "" if told.tokens_per_s is None else f", ~{told.tokens_per_s:.0f} tokens/s"
        document = f"tier {told.tier}: {told.gigabytes} GB, context {told.context}{speed}"
        rows.append((told.model, document, _said(row), _why(told, row)))
    return rows


def _said(row: FitRow) -> str:
    weights = f"{row.weights_bytes / GB:.2f} GB"
    if row.verdict == "no":
        return f"{weights}, no: {row.reason}"
    speed = ""
    if row.decode_tokens_per_s is not None:
        speed = (
            f", {row.decode_tokens_per_s:.0f} tokens/s ({row.decode_low_tokens_per_s:.0f} to"
            f" {row.decode_high_tokens_per_s:.0f})"
        )
    return f"{weights}, context to {format_tokens(row.context_tokens)}{speed}"


def _why(told: Told, row: FitRow) -> str:
    bits = 8 * row.weights_bytes / row.parameters
    reasons = [f"{row.parameters / 1e9:.2f} B parameters at {bits:.2f} bits"]
    if row.verdict == "no":
        reasons.append("on the GPU the file is read into memory, and a desktop takes 1.5 GiB")
    elif row.context_tokens < row.context_trained_tokens:
        reasons.append("the KV cache of more does not fit in 5.96 GiB")
    low, high = row.decode_low_tokens_per_s, row.decode_high_tokens_per_s
    if told.tokens_per_s is not None and low is not None and high is not None:
        if told.tokens_per_s > high:
            reasons.append("measured speeds of this board are lower than the text's estimates (docs/speed.md)")
        elif told.tokens_per_s < low:
            reasons.append("measured speeds of this board are higher than the text's estimates (docs/speed.md)")
    return "; ".join(reasons)


def _larger() -> list[tuple[str, str, str, str]]:
    from memfit.fit.boards import boards_of

    rows = []
    for model, told, module in LARGER:
        found = boards_of(model, Wish(context_tokens=2048, formats=("Q4_K_M",)))
        size = find_model(model, format="Q4_K_M").weights_bytes
        small = next((one for one in found.boards if one.device == found.smallest), None)
        memfit = f"{size / GB:.1f} GB, {found.smallest or 'no board'}"
        why = "no board leaves as much" if small is None else f"there {small.row.reason or 'with room to spare'}"
        rows.append((model, f"{told} GB, {module}", memfit, f"{why}; at a context of 2k, a stock system with desktop"))
    return rows


def _speeds() -> list[tuple[str, str, str, str]]:
    device = find_device(NANO)
    rows = []
    for model, prompt, generated in SPEEDS:
        row = _row(model, device, context=2048, mode="25W")
        low, high = row.decode_low_tokens_per_s or 0, row.decode_high_tokens_per_s or 0
        inside = low <= generated <= high
        why = "generation within the error bar" if inside else "generation outside of the error bar of measured speeds"
        why += "; the prompt's figures are about a tenth of what was measured on this board (docs/speed.md)"
        memfit = (
            f"prompt {row.prefill_tokens_per_s:.0f}, {row.decode_tokens_per_s:.0f} ({low:.0f} to {high:.0f}) tokens/s"
        )
        rows.append((model, f"prompt ~{prompt}, ~{generated} tokens/s", memfit, why))
    return rows


def _table_4() -> list[tuple[str, str, str, str]]:
    rows = []
    for model, wide, scheme, told in (("Qwen3-8B", "FP16", "awq", 10.0), ("Qwen3-4B", "BF16", "awq", 5.6)):
        whole = card_shape(CARDS.get(model), "F16")
        small = in_scheme(whole, scheme).weights_bytes
        saved = (whole.weights_bytes - small) / GB
        why = (
            f"{whole.weights_bytes / GB:.2f} GB less {small / GB:.2f}: AWQ in groups of 128 keeps the embeddings"
            f"{'' if whole.tied_embeddings else ' and the output matrix'} in 16 bits"
        )
        rows.append((f"{model}, {wide} to 4 bits", f"saves ~{told} GB", f"saves {saved:.2f} GB", why))
    device = find_device(NANO)
    for model, words in (
        ("Mistral-Nemo-12B", "LLMs up to ~10B"),
        ("Gemma-3-4B", "VLMs up to ~4B"),
        ("Llama-3.1-8B", "LLMs up to ~10B"),
    ):
        row = min(
            fit(device, Wish(context_tokens=2048), models=(model,), every_row=True).rows,
            key=lambda row: (
                row.verdict == "no",
                abs(row.quality.kl_divergence or 1) if row.verdict != "barely" else 9,
            ),
        )
        said = f"{row.verdict}: {row.format}, context to {format_tokens(row.context_tokens)}"
        why = row.reason or "with a stock desktop; headless leaves 0.74 GiB more"
        rows.append((f"{model} on 8 GB", words, said, why))
    return rows
