"""Quantization presets, one file each; the file's name is the preset's name in lower case."""

from __future__ import annotations

from pathlib import Path

from memfit.catalog import Catalog
from memfit.precision._numbers import by_number
from memfit.precision._preset import Preset

PRESETS: Catalog[Preset] = Catalog(__name__, Path(__file__).parent, constant="PRESET", kind="preset", type=Preset)

# enum llama_ftype, llama.cpp include/llama.h (0c1e57098)
_ORDER = (
    "f32 f16 q4_0 q4_1 - - - q8_0 q5_0 q5_1 q2_k q3_k_s q3_k_m q3_k_l q4_k_s q4_k_m q5_k_s q5_k_m q6_k iq2_xxs iq2_xs "
    "q2_k_s iq3_xs iq3_xxs iq1_s iq4_nl iq3_s iq3_m iq2_s iq2_m iq4_xs iq1_m bf16 - - - tq1_0 tq2_0 mxfp4_moe nvfp4 "
    "q1_0 q2_0"
)

_GUESSED = 1024  # LLAMA_FTYPE_GUESSED, same file: set where the engine inferred the type from the tensors


def preset_of(file_type: int) -> Preset | None:
    """The preset that a file's ``general.file_type`` stands for, None for numbers that name none."""
    return by_number(PRESETS, file_type & ~_GUESSED, lambda preset: preset.file_type, order=_ORDER)


__all__ = ["PRESETS", "Preset", "preset_of"]
