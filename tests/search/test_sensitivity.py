"""What formats cost each tensor, learned once: by a workbench that answers at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from small_search import MODEL

from memfit.model.shape import Tensor
from memfit.precision.formats import FORMATS
from memfit.search import sensitivity
from memfit.search.base import Base
from memfit.search.notes import Notes
from memfit.search.sensitivity import Sensitivity


class StubBench:
    """Answers by the bits of a format."""

    important: frozenset[str] = frozenset()

    def probe(self, tensors: Iterable[Tensor], *_: object, **__: object) -> Iterator[tuple[str, float]]:
        for one in tensors:
            yield one.name, 0.01

    def foresee(self, tensors: Iterable[Tensor], *_: object, **__: object) -> Iterator[tuple[str, float | None]]:
        for one in tensors:
            yield one.name, None if one.name.startswith(("token_embd", "output")) else 0.02

    def errors(
        self, tensors: Iterable[Tensor], formats: Sequence[str], **_: object
    ) -> Iterator[tuple[str, float, tuple[tuple[float, float, float], ...]]]:
        for one in tensors:
            yield one.name, 1.0, tuple((4.0 ** -FORMATS.get(name).bits,) * 2 + (0.0,) for name in formats)


def learned(folder: Path, *formats: str) -> tuple[Base, Sensitivity]:
    base = Base(str(MODEL))
    found = Sensitivity(base, Notes({}, folder), formats)
    found.learn(StubBench(), [0], first=0, against="probe", said=lambda *_: None)  # type: ignore[arg-type]
    return base, found


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_no_prediction(tmp_path: Path, value: float) -> None:
    """A probe, or the error of a format whose scales do not reach that far: neither is ever chosen by."""
    base, found = learned(tmp_path, "Q4_K", "Q6_K")
    one, other = base.changeable[:2]
    notes = Notes({}, tmp_path)
    notes.learn(f"probe {one.name}", value)
    known = notes.get(f"errors {other.name}")
    notes.learn(f"errors {other.name}", known | {"Q4_K": (value, value, 0.0)})
    base, found = learned(tmp_path, "Q4_K", "Q6_K")
    assert found.probed(one) is None
    assert [option.format for option in found.options(one, frozenset())] == ["F16"]
    assert [option.format for option in found.options(other, frozenset())] == ["F16", "Q6_K"]


def test_formats_that_an_earlier_search_did_not_want_are_measured_for_a_later_one(tmp_path: Path) -> None:
    learned(tmp_path, "Q2_K", "Q4_K")
    base, found = learned(tmp_path, "Q4_K", "Q6_K", "Q8_0")
    for tensor in base.changeable:
        assert {one.format for one in found.options(tensor, frozenset())} == {"F16", "Q4_K", "Q6_K", "Q8_0"}
        assert found.predict(tensor, "Q2_K") is not None  # and what was learned stays known


def test_matrices_of_a_large_model_are_foreseen_and_the_rest_is_probed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensitivity, "MOST_PROBED", 1_000_000)
    base, found = learned(tmp_path, "Q4_K")
    shown = {one.name: (found.probed(one), found.is_foreseen(one)) for one in base.changeable}
    assert shown.pop("token_embd.weight") == shown.pop("output.weight") == (0.01, False)
    assert set(shown.values()) == {(0.02, True)}
    _, again = learned(tmp_path, "Q4_K")
    assert again.is_foreseen(base.changeable[1])
