from __future__ import annotations

import ast
from pathlib import Path

import pytest
from quantizer_oracle import library

from memfit.catalog import fold
from memfit.errors import UnknownName
from memfit.precision import FORMATS
from memfit.precision.presets import _ORDER, PRESETS, Preset, preset_of

_FOLDER = Path(__file__).parents[2] / "src" / "memfit" / "precision" / "presets"
_NO_TYPE = 43  # GGML_TYPE_COUNT


@pytest.mark.parametrize("key", PRESETS.keys())
def test_a_preset_file_keeps_the_law(key: str) -> None:
    preset = PRESETS.get(key)
    assert fold(preset.name) == key
    assert preset.summary
    assert ast.get_docstring(ast.parse((_FOLDER / f"{key}.py").read_text()))
    named = [preset.base, preset.output, *(rule.format for rule in preset.rules), *preset.imatrix_formats]
    named += [preset.embedding] if preset.embedding else []
    for name in named:
        assert FORMATS.get(name).name == name, "rules name formats as the engine does"


def test_no_two_presets_share_a_file_type_a_name_or_an_alias() -> None:
    presets = list(PRESETS)
    assert len({preset.file_type for preset in presets}) == len(presets)
    names = [fold(name) for preset in presets for name in {fold(n) for n in (preset.name, *preset.aliases)}]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("written", "name"),
    [("q4_k_m", "Q4_K_M"), ("Q4_K", "Q4_K_M"), ("Q3_K - Large", "Q3_K_L"), ("fp16", "F16"), ("MXFP4 MoE", "MXFP4_MOE")],
)
def test_a_preset_is_found_by_any_of_its_names(written: str, name: str) -> None:
    assert PRESETS.get(written).name == name


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="preset") as caught:
        PRESETS.get("Q4_K_XL")
    assert "q4_k_l" not in caught.value.nearest
    assert set(caught.value.nearest) <= set(PRESETS.keys())
    assert caught.value.nearest


@pytest.mark.parametrize("preset", list(PRESETS), ids=lambda preset: preset.name)
def test_every_file_type_leads_to_its_preset(preset: Preset) -> None:
    assert preset_of(preset.file_type) is preset
    assert preset_of(preset.file_type | 1024) is preset, "the engine marks types it guessed"
    assert _ORDER.split()[preset.file_type] == fold(preset.name)


@pytest.mark.parametrize("number", [4, 5, 33, 42, 1023, -7])
def test_a_file_type_without_preset_is_none(number: int) -> None:
    assert preset_of(number) is None


def test_published_quality_falls_as_bits_grow() -> None:
    # the scoreboard's own order; Q4_0 and Q4_1 are left out, which the K-quants beat at fewer bits
    ladder = ("Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q4_K_M", "Q4_K_S", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K")
    published = [PRESETS.get(name).quality for name in ladder]
    losses = [figure.kl_divergence for figure in published if figure is not None]
    assert len(losses) == len(ladder)
    assert losses == sorted(losses)
    for preset in PRESETS:
        if preset.quality and preset.quality_imatrix:
            assert preset.quality_imatrix.kl_divergence < preset.quality.kl_divergence, preset.name


@pytest.mark.engine
def test_the_engine_knows_the_same_file_types_by_these_names() -> None:
    llama = library("llama")
    default_type = llama._Z28llama_ftype_get_default_type11llama_ftype
    for number in range(1024):
        label = llama.llama_ftype_name(number).decode()
        preset = preset_of(number)
        if preset is None:
            assert label == "unknown, may not work"
            assert default_type(number) == _NO_TYPE
            continue
        assert PRESETS.get(label) is preset
        assert preset.recipe == (default_type(number) != _NO_TYPE)
        if preset.recipe:
            assert FORMATS.get(preset.base).number == default_type(number)
