"""Every reader: named as its file, described, and telling a whole model from a config."""

import copy
import importlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.catalog import fold
from memfit.errors import Malformed
from memfit.model.configs import CONFIGS, Part
from memfit.model.configs._section import Section

COUNTED = json.loads((Path(__file__).parents[2] / "fixtures/configs/counts.json").read_text())["counts"]
EXAMPLES = [entry["config"] for entry in COUNTED]

WILD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.sampled_from(
        [2**31, 2**63, 2**200, -(2**70), 1.5, float("nan"), float("inf"), "auto", "", "x" * 99, [], {}, [1]]
    ),
    st.lists(st.one_of(st.integers(-2, 4), st.text(max_size=3), st.none()), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@pytest.mark.parametrize("key", CONFIGS.keys())
def test_a_reader_is_called_as_its_file(key: str) -> None:
    config = CONFIGS.get(key)
    assert fold(config.model_type) == key
    assert config.summary
    assert config.source
    module = importlib.import_module(f"memfit.model.configs.{key}")
    assert (module.__doc__ or "").endswith(".")
    assert "Raises:" in (config.read.__doc__ or "")


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["model_type"] for example in EXAMPLES])
def test_what_a_reader_tells_fits_together(example: dict[str, Any]) -> None:
    read = CONFIGS.get(example["model_type"]).read(Section(example, file="config.json"))
    names = [tensor.name for tensor in read.tensors]
    assert len(set(names)) == len(names)
    assert {tensor.part for tensor in read.tensors} <= set(get_args(Part))
    assert all(size > 0 for tensor in read.tensors for size in tensor.dims)
    assert read.tied == ("output.weight" not in names) or read.memory == "none"
    (rows,) = [tensor.dims[1] for tensor in read.tensors if tensor.name == "token_embd.weight"]
    assert rows == read.vocabulary_tokens
    for layer in read.layers:
        assert layer.cache_of is None or read.layers[layer.cache_of].attention == layer.attention
    if read.card is not None:
        assert read.card.architecture
        assert read.card.name == read.name or read.towers


@pytest.mark.parametrize("kind", sorted({example["model_type"] for example in EXAMPLES}))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_value_of_a_config_is_a_traceback(kind: str, data: st.DataObject) -> None:
    example = data.draw(st.sampled_from([each for each in EXAMPLES if each["model_type"] == kind]))
    values = copy.deepcopy(example)
    for _ in range(data.draw(st.integers(1, 2))):
        sections = [values, *(each for each in values.values() if isinstance(each, dict))]
        section = data.draw(st.sampled_from(sections))
        names = sorted(name for name in section if name != "model_type")
        if names:
            section[data.draw(st.sampled_from(names))] = data.draw(WILD)
    with suppress(Malformed):
        assert CONFIGS.get(kind).read(Section(values, file="config.json")).parameters > 0
