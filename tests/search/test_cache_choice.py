"""The cache beside the weights: what F16 leaves no room for, smaller formats may."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from small_search import MODEL, request

from memfit.model.gguf.writer import Copied, write_header
from memfit.render import render
from memfit.search.base import Base
from memfit.search.budget import Destination, headroom, room, within_device
from memfit.search.cache import KINDS, choose_cache
from memfit.search.choose import Mix
from memfit.search.quantize import quantize
from memfit.search.records import Asked, PrecisionMap

BOARD = "orin-nano-8gb"


class StubSearch:
    """Any room will do."""

    def within_bytes(self, most_bytes: int) -> Mix | None:
        return Mix(formats={}, bytes=most_bytes, predicted_kl=0.01) if most_bytes > 0 else None


class StubSession:
    """Each cache costs the same."""

    def cache_cost(self, kv: tuple[str, str]) -> float | None:
        return 0.001


def test_a_context_that_only_a_smaller_cache_leaves_room_for_has_that_cache() -> None:
    base = Base(str(MODEL))
    context = next(
        tokens
        for tokens in range(1 << 20, 1 << 22, 1 << 16)
        if room(base, Destination(device=BOARD, context_tokens=tokens), KINDS[0]) <= 0
    )
    place = Destination(device=BOARD, context_tokens=context)
    found = choose_cache(base, StubSession(), StubSearch(), place)  # type: ignore[arg-type]
    assert found
    assert KINDS[0] not in {(one.k, one.v) for one in found}
    assert all(one.max_bytes > 0 for one in found)


def test_a_cache_with_which_nothing_is_predicted_is_no_choice() -> None:
    class Numberless(StubSession):
        def cache_cost(self, kv: tuple[str, str]) -> float | None:
            return None if kv == KINDS[-1] else 0.001

    place = Destination(device=BOARD, context_tokens=4096)
    found = choose_cache(Base(str(MODEL)), Numberless(), StubSearch(), place)  # type: ignore[arg-type]
    assert {(one.k, one.v) for one in found} == set(KINDS[:-1])


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A small model whose embedding is its output too."""
    path = tmp_path_factory.mktemp("tied") / "tied.gguf"
    base = Base(str(MODEL))
    tensors = [one for one in base.shape.tensors if one.name != "output.weight"]
    metadata = {key: Copied(base.header.path, span.offset, span.bytes) for key, span in base.header.spans.items()}
    with path.open("wb") as file:
        extent = write_header(file, metadata, [(one.name, one.dims, one.format) for one in tensors])
        file.truncate(extent.file_bytes)
    return Base(str(path))


@pytest.mark.parametrize("format", ["Q2_K", "Q8_0"])
def test_an_embedding_that_lies_in_memory_twice_counts_twice(tied: Base, format: str) -> None:
    """The budget is told for one preset; what really fits is told by the formats that are chosen."""
    context = next(
        tokens
        for tokens in range(1 << 20, 1 << 22, 1 << 9)
        if 0 < room(tied, Destination(device=BOARD, context_tokens=tokens), KINDS[0]) < 3 * tied.whole_bytes // 4
    )
    place = Destination(device=BOARD, context_tokens=context)
    most = room(tied, place, KINDS[0])
    sized: list[int] = []

    def formats_within(budget: int) -> dict[str, str] | None:
        """One tensor after another as it was, for as long as that stays within."""
        sized.append(budget)
        found = dict.fromkeys((one.name for one in tied.changeable if one.dims[0] % 256 == 0), format)
        for name in list(found):
            if tied.file_bytes({key: value for key, value in found.items() if key != name}) <= budget:
                del found[name]
        return found if tied.file_bytes(found) <= budget else None

    budget = within_device(tied, place, KINDS[0], most, formats_within)
    assert 0 < budget <= most
    chosen = formats_within(budget)
    assert chosen is not None
    assert headroom(tied, place, KINDS[0], chosen) >= 0


@pytest.mark.parametrize("kv", [None, KINDS[0]])
def test_a_context_that_no_cache_leaves_room_for_is_answered_before_the_search(
    tmp_path: Path, kv: tuple[str, str] | None
) -> None:
    """That something does not fit is an answer; it is told how much is lacking."""
    asked = Asked(device=BOARD, context_tokens=1 << 24, kv=kv)
    steps: list[str] = []
    found = quantize(request(tmp_path, asked), lambda step, _done, _total: steps.append(step))
    assert not steps
    assert found.chosen is None
    place = Destination(device=BOARD, context_tokens=1 << 24)
    assert found.asked.max_bytes == room(Base(str(MODEL)), place, kv or KINDS[-1])
    assert found.asked.max_bytes < 0
    assert any("smaller --context" in note for note in found.notes)
    assert msgspec.json.decode(msgspec.json.encode(found), type=PrecisionMap) == found
    assert "does not fit" in str(render(found, width=100))
    assert not (tmp_path / "out.gguf").exists()
