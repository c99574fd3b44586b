import msgspec
import pytest

from memfit import estimate, find_device
from memfit.engine._llama_cpp.graph_table import check_graph_table, graph_tensors, table_room
from memfit.engine.records import Options
from memfit.errors import UsageError
from memfit.model import find_model

BASE = Options(context_tokens=2048)
change = msgspec.structs.replace


@pytest.mark.parametrize(
    ("model", "options", "counted"),
    [
        # nodes and leafs of the graphs that llama.cpp 0c1e57098 reserves, read from its structs
        ("Granite-3.1-1B-A400M", BASE, 0.862),
        ("Granite-3.1-1B-A400M", change(BASE, slots=3), 0.885),
        ("Granite-3.1-1B-A400M", change(BASE, kv_type_k="Q8_0", flash_attention=False), 0.991),
        ("Phi-4", change(BASE, kv_type_k="Q8_0", kv_type_v="Q8_0"), 0.963),
        ("Phi-4-mini", change(BASE, kv_type_k="Q8_0", kv_type_v="Q8_0", slots=3), 0.804),
        ("Phi-3-mini-4k", change(BASE, kv_type_k="Q8_0", kv_type_v="Q8_0"), 0.585),  # heads of 96: not rotated
    ],
)
def test_the_graph_has_as_many_tensors_as_the_engine_s(model: str, options: Options, counted: float) -> None:
    shape = find_model(model, format="Q4_K_M")
    filled = graph_tensors(shape, options) / table_room(len(shape.tensors))
    assert filled == pytest.approx(counted, abs=0.001)  # the table of rope factors is in one of two tensors


def test_a_quantized_cache_that_the_engine_aborts_on_is_refused_in_words() -> None:
    shape = find_model("Granite-3.1-1B-A400M", format="Q4_K_M")
    check_graph_table(shape, BASE)
    with pytest.raises(UsageError, match="its graph has 2059 tensors, and the engine's table takes 2053"):
        check_graph_table(shape, change(BASE, kv_type_k="Q8_0", kv_type_v="Q8_0"))


def test_an_estimate_refuses_it_and_does_not_offer_it() -> None:
    device = find_device("orin-nano-8gb")
    found = estimate("Granite-3.1-1B-A400M", format="Q4_K_M", device=device, options=BASE, source="formula")
    assert found.relief
    assert not [one for one in found.relief if "kv-type" in one.option]
    quantized = change(BASE, kv_type_k="Q8_0", kv_type_v="Q8_0")
    with pytest.raises(UsageError):
        estimate("Granite-3.1-1B-A400M", format="Q4_K_M", device=device, options=quantized, source="formula")


@pytest.mark.parametrize(("tensors", "room"), [(1, 1031), (129, 2053), (256, 2053), (257, 4099), (10**6, 131101)])
def test_the_table_takes_the_next_prime(tensors: int, room: int) -> None:
    assert table_room(tensors) == room
