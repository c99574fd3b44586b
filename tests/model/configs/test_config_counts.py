"""Parameters as transformers counts them."""

import json
from pathlib import Path
from typing import Any

import pytest

from memfit.catalog import fold
from memfit.model import find_model
from memfit.model.cards import CARDS
from memfit.model.configs import CONFIGS
from memfit.model.configs._section import Section

COUNTED = json.loads((Path(__file__).parents[2] / "fixtures/configs/counts.json").read_text())["counts"]
DATA = Path(__file__).parents[4] / "shared" / "data" / "hf_configs"
KINDS = sorted({entry["config"]["model_type"] for entry in COUNTED})
# the code of these is no part of transformers, which therefore counts none
UNCOUNTED = {"internlm2", "minicpm", "nemotron_nas"}
# halves of larger models that transformers does not build alone, and that only stand inside of them
NESTED = {"qwen2_vl_text", "qwen2_5_vl_text", "qwen3_vl_text", "qwen3_vl_moe_text"}


def counts() -> dict[str, Any]:
    path = DATA / "param_counts.json"
    return json.loads(path.read_text()) if path.exists() else {}


@pytest.mark.parametrize("kind", KINDS)
def test_varied_configs_have_the_parameters_that_transformers_counts(kind: str) -> None:
    entries = [entry for entry in COUNTED if entry["config"]["model_type"] == kind]
    assert len(entries) >= 3
    for entry in entries:
        read = CONFIGS.get(kind).read(Section(entry["config"], file="config.json"))
        assert read.parameters == entry["parameters"], entry["config"]


def test_every_reader_is_held_to_a_count() -> None:
    assert set(CONFIGS.keys()) - {fold(kind) for kind in KINDS} == UNCOUNTED | NESTED


@pytest.mark.parametrize("name", [name for name, entry in counts().items() if "params" in entry] or ["none"])
def test_real_configs_have_the_parameters_that_transformers_counts(name: str) -> None:
    if name == "none":
        pytest.skip(f"no shared data: {DATA}")
    values = json.loads((DATA / name / "config.json").read_text())
    read = CONFIGS.get(values["model_type"]).read(Section(values, file=name))
    assert read.parameters == counts()[name]["params"]


def test_layers_of_different_widths_add_up_to_the_model_s_name() -> None:
    path = DATA / "Llama-3_3-Nemotron-Super-49B-v1/config.json"
    if not path.exists():
        pytest.skip(f"no shared data: {path}")
    read = CONFIGS.get("nemotron-nas").read(Section(json.loads(path.read_text())))
    assert 49e9 <= read.parameters < 50e9
    assert {layer.attention for layer in read.layers} == {"full", "none"}


def converted_alike() -> list[str]:
    if not DATA.exists():
        return []
    folders = [path.name for path in DATA.iterdir() if (path / "config.json").exists()]
    return sorted(name for name in folders if name in CARDS and name != "DeepSeek-V2-Lite")


@pytest.mark.parametrize("name", converted_alike() or ["none"])
def test_a_config_is_converted_to_the_card_of_its_model(name: str) -> None:
    if name == "none":
        pytest.skip(f"no shared data: {DATA}")
    folder, card = find_model(str(DATA / name), format="Q4_K_M"), find_model(name, format="Q4_K_M")
    assert folder.tensors == card.tensors
    assert folder.layers == card.layers
    assert (folder.memory, folder.window_tokens, folder.vocabulary_tokens) == (
        card.memory,
        card.window_tokens,
        card.vocabulary_tokens,
    )
