"""Graphs put together from segments, and the tables they come in."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.engine._llama_cpp import graphs as graphs_module
from memfit.engine._llama_cpp.graphs import (
    DATA,
    Graphs,
    Segment,
    evaluate,
    load_graphs,
    parse,
    planned_bytes,
    steps_of,
    steps_text,
)
from memfit.model.architectures import ARCHITECTURES
from memfit.model.cards import CARDS

MOST_DATA_BYTES = 336 * 1024
FILES = sorted(DATA.glob("*.json"))


@given(st.lists(st.integers(-400, 400)))
def test_steps_survive_being_written(steps: list[int]) -> None:
    assert steps_of(steps_text(steps)) == tuple(steps)


def test_steps_need_nothing_that_json_must_escape() -> None:
    text = steps_text(range(-90, 120))
    assert json.dumps(text) == f'"{text}"'


@pytest.mark.parametrize(
    ("text", "value"),
    [("4*T*d", 4 * 3 * 5), ("7", 7), ("0", 0), ("T^2+2*d", 9 + 10), ("-4*T+4*d", 8), ("d*T^-1", 2), ("1/2*d*T", 8)],
)
def test_an_expression_has_its_value_rounded_up_to_whole_bytes(text: str, value: int) -> None:
    assert evaluate(parse(text), {"T": 3, "d": 5}) == value


def test_fractions_of_several_terms_are_added_before_they_are_rounded() -> None:
    assert evaluate(parse("1/2*T+1/2*d"), {"T": 3, "d": 5}) == 4


def test_a_symbol_that_a_model_does_not_have_counts_nothing() -> None:
    assert evaluate(parse("4*T+4*ssm.state_size*T"), {"T": 3}) == 12


def _graphs(*segments: Segment, keys: tuple[str, ...] = ("r0", "=mask")) -> Graphs:
    return Graphs(
        engine="none",
        architecture="toy",
        cards=(),
        fixed={},
        tensor_sets=(frozenset(),),
        sizes=("32*T", "64*T", "96*T"),
        keys=keys,
        work=(),
        work_lists=((),),
        segments=segments,
        roles=(),
        rows=(),
        graphs={},
    )


def test_a_buffer_passes_from_one_segment_to_the_next() -> None:
    first = Segment((), (0, 0), steps_text([0]), 0)  # takes 32 T and leaves it as r0
    layer = Segment((0,), (0, 1), steps_text([1, -1]), 0)  # takes 64 T beside it, gives r0 back, leaves its own
    toy = _graphs(first, layer)
    # 32 T + 64 T; then the next 64 T does not fit into the 32 T that became free
    assert planned_bytes(toy, [0, 1], [{"T": 1}] * 2) == 96
    assert planned_bytes(toy, [0, 1, 1], [{"T": 1}] * 3) == 160
    assert planned_bytes(toy, [0, 1, 1], [{"T": 100}] * 3) == 16000


def test_a_lasting_buffer_is_given_back_by_the_last_that_uses_it() -> None:
    first = Segment((), (1, 0), steps_text([2]), 0)  # 96 T, a mask
    layer = Segment((1,), (), steps_text([0, -1, 2, -2, -3]), 0)  # 32 T, done with the mask, 96 T, gives both back
    toy = _graphs(first, layer)
    # the last layer's 96 T goes where the mask was, the first one's cannot
    assert planned_bytes(toy, [0, 1], [{"T": 1}] * 2) == 128
    assert planned_bytes(toy, [0, 1, 1], [{"T": 1}] * 3) == 224


def test_a_segment_that_looks_for_a_buffer_nobody_left_is_an_error() -> None:
    orphan = _graphs(Segment((0,), (), "", 0))
    with pytest.raises(KeyError):
        planned_bytes(orphan, [0], [{}])


def test_skipping_repeated_layers_changes_nothing() -> None:
    llama = load_graphs("llama")
    assert llama is not None
    roles = llama.segments_by_role("flash.half.half.one")
    middle = roles["a/full+dense/a"]
    numbers = [roles["prologue"], *[middle] * 20, roles["a/full+dense/-"]]
    base = {"T": 512, "S": 1, "O": 1, "C": 256, "d": 2048, "V": 32000, "gv": 512}
    layers = [{**base, "H": 32, "G": 8, "K": 64, "L": 64, "F": 5632 + 256 * (index % 3)} for index in range(22)]
    # values that are equal but not the same object are never taken for a repetition
    whole = planned_bytes(llama, numbers, layers)
    assert planned_bytes(llama, numbers, [layers[index % 3] for index in range(22)]) == whole
    assert planned_bytes(llama, numbers, [layers[0]] * 22) < whole


def test_every_architecture_with_a_card_has_its_graphs() -> None:
    wanted = {ARCHITECTURES.get(card.architecture).name for card in CARDS}
    assert wanted <= {path.stem for path in FILES}


def test_the_tables_stay_small() -> None:
    assert sum(path.stat().st_size for path in FILES) <= MOST_DATA_BYTES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_tables_are_sound(path: Path) -> None:
    tables = msgspec.json.decode(path.read_bytes(), type=Graphs)
    assert tables.architecture == path.stem
    assert tables.engine == "llama.cpp 0c1e57098"
    assert {row for rows in tables.graphs.values() for row in rows if row >= 0} == set(range(len(tables.rows)))
    assert list(tables.structures())
    assert {number for row in tables.rows for number in row if number >= 0} == set(range(len(tables.segments)))
    for text in tables.sizes:
        assert parse(text)
    for segment in tables.segments:
        _check_steps(tables, segment)


def _check_steps(tables: Graphs, segment: Segment) -> None:
    taken, given_back = len(segment.imports), set()
    for step in steps_of(segment.steps):
        if step >= 0:
            assert step < len(tables.sizes)
            taken += 1
            continue
        buffer = -1 - step
        assert buffer < taken
        assert buffer not in given_back
        given_back.add(buffer)
    for key, buffer in zip(segment.exports[::2], segment.exports[1::2], strict=True):
        assert buffer < taken
        assert tables.keys[key].startswith("=") or buffer not in given_back
    assert all(number < len(tables.work) for number in tables.work_lists[segment.work])


def test_no_tables_for_an_architecture_nobody_traced() -> None:
    assert load_graphs("nobody") is None


def test_a_name_that_is_a_path_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "llama.json").write_text("{}")
    monkeypatch.setattr(graphs_module, "DATA", tmp_path / "inner")
    assert load_graphs("../llama") is None
