"""What engines that are only sized read out of a device and its options."""

import pytest

from memfit.device import find_device
from memfit.device.boards import BOARDS
from memfit.engine._sized.facts import facts_of
from memfit.engine._sized.formats import has_fp8
from memfit.engine._sized.ledger import least_fraction
from memfit.engine._sized.request import capability_of
from memfit.model import find_model
from memfit.units import GIB


@pytest.mark.parametrize("key", BOARDS.keys())
def test_the_capability_of_every_board_is_read(key: str) -> None:
    board = BOARDS.get(key)
    expected = None if board.compute_capability is None else board.compute_capability.value
    assert capability_of(find_device(key, memory_bytes=4 * GIB)) == expected


@pytest.mark.parametrize(("capability", "expected"), [("5.3", False), ("8.7", False), ("8.9", True), ("10.1", True)])
def test_which_gpu_computes_in_fp8(capability: str, expected: bool) -> None:
    assert has_fp8(capability) is expected


@pytest.mark.parametrize(("held", "of", "expected"), [(1, 100, 0.01), (101, 200, 0.51), (100, 200, 0.5), (3, 2, 1.5)])
def test_the_least_share_is_rounded_up(held: int, of: int, expected: float) -> None:
    assert least_fraction(held, of) == expected


def test_facts_are_those_of_their_shape_and_kept() -> None:
    one, other = find_model("Llama-3.2-1B"), find_model("Llama-3.2-3B")
    assert facts_of(one) is facts_of(one)
    assert facts_of(one).weights_bytes == one.weights_bytes
    assert facts_of(other).weights_bytes == other.weights_bytes
    assert facts_of(one).full_elements == 16 * 2 * 8 * 64
    # gate, up and their product beside the residual and its copy
    assert facts_of(one).widest_elements == 2 * 2048 + 3 * 8192


def test_facts_of_many_shapes_do_not_stay_for_ever() -> None:
    import msgspec

    from memfit.engine._sized import facts

    shape = find_model("SmolLM2-135M")
    for index in range(300):
        facts_of(msgspec.structs.replace(shape, name=str(index)))
    assert len(facts._HELD) <= 256
