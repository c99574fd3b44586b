import importlib.util

import msgspec
import pytest

from memfit.engine._llama_cpp.requantized import agree_on_format
from memfit.errors import Disagreement
from memfit.model import find_model
from memfit.model.cards import CARDS

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"),
]


@pytest.mark.parametrize("name", ["Llama-3.2-3B", "Gemma-3-4B", "DeepSeek-V2-Lite", "Qwen3.5-4B", "gpt-oss-20b"])
@pytest.mark.parametrize("preset", ["Q4_K_M", "Q3_K_L", "IQ4_XS"])
def test_a_mix_is_the_engines_own(name: str, preset: str) -> None:
    agree_on_format(find_model(name, format=preset), CARDS.get(name).header(), preset)


def test_a_tensor_of_another_size_is_named() -> None:
    shape = find_model("SmolLM2-135M", format="Q4_K_M")
    first = msgspec.structs.replace(shape.tensors[0], bytes=shape.tensors[0].bytes + 1)
    wrong = msgspec.structs.replace(shape, tensors=(first, *shape.tensors[1:]))
    with pytest.raises(Disagreement, match=first.name):
        agree_on_format(wrong, CARDS.get("SmolLM2-135M").header(), "Q4_K_M")
