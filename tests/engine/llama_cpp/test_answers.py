"""How the engine is asked."""

from typing import Any

import pytest

from memfit.device import find_device
from memfit.engine._engine import Origin
from memfit.engine._llama_cpp.answers import answer
from memfit.engine.records import Options
from memfit.errors import EngineFailed
from memfit.model import find_model
from memfit.model.cards import CARDS
from memfit.units import GIB

SHAPE = find_model("SmolLM2-135M", format="Q4_K_M")
ORIGIN = Origin(header=CARDS.get("SmolLM2-135M").header())


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The memory that each question allows; none is answered."""
    seen: list[int] = []

    def reserve(*asked: Any, memory_bytes: int) -> Any:
        seen.append(memory_bytes)
        raise EngineFailed("not here")

    monkeypatch.setattr("memfit.engine._llama_cpp.oracle.is_installed", lambda: True)
    monkeypatch.setattr("memfit.engine._llama_cpp.oracle.reserve", reserve)
    return seen


def test_it_may_take_what_it_really_allocates(limits: list[int]) -> None:
    cells, slots = 10_000_000, 4
    for options in (Options(context_tokens=4096), Options(context_tokens=cells, slots=slots, unified_kv=True)):
        with pytest.raises(EngineFailed):
            answer(SHAPE, ORIGIN, options, find_device("orin-nano-8gb"), "engine")
    small, large = limits
    # a table of cells for each of two caches, where a model has a window, and the slots' rows of logits
    assert GIB <= small < GIB + GIB // 16
    assert large >= GIB + 2 * 52 * cells + 4 * SHAPE.vocabulary_tokens * slots


def test_it_is_not_asked_what_would_fill_this_machine(limits: list[int]) -> None:
    huge = Options(context_tokens=2**31 - 1)
    device = find_device("orin-nano-8gb")
    assert answer(SHAPE, ORIGIN, huge, device, "auto").engine == "llama.cpp by formula"
    for asked in ("engine", "both"):
        with pytest.raises(EngineFailed, match="would allocate") as caught:
            answer(SHAPE, ORIGIN, huge, device, asked)
        assert "--source formula" in (caught.value.hint or "")
    assert limits == []
