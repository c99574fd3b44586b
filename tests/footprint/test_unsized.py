"""Which boards could hold a model that is known by its size alone."""

from __future__ import annotations

import pytest

from memfit.device.boards import BOARDS
from memfit.engine.records import Deployment
from memfit.errors import NotSized
from memfit.footprint.estimate import find_models
from memfit.footprint.unsized import on_boards


def told(name: str) -> str:
    with pytest.raises(NotSized) as caught:
        find_models(Deployment(model=name), source="formula")
    return str(caught.value.hint)


def test_the_smallest_board_that_could_hold_it_is_named() -> None:
    hint = told("Step-3.5-Flash")
    assert "thor-t5000" in hint
    assert hint.index("thor-t5000") < hint.index("--source engine")  # the size and its board, then what to do
    able = [board.capacity_bytes for board in BOARDS if (board.capacity_bytes or 0) >= 196e9 * 4.5 / 8]
    assert BOARDS.get("thor_t5000").capacity_bytes == min(able)  # type: ignore[type-var]


def test_what_no_board_holds_and_what_every_board_holds() -> None:
    assert "more than any board" in told("MiMo-V2-Pro")
    assert "every board" in str(on_boards(NotSized("x", weights_bytes=1 << 20)).hint)


def test_a_size_that_nobody_published_says_nothing_of_boards() -> None:
    error = NotSized("x", hint="y")
    assert on_boards(error) is error
