from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quantizer_oracle import library

from memfit.catalog import Catalog, fold
from memfit.errors import UnknownName, UsageError
from memfit.precision import FORMATS, Format, format_of
from memfit.precision._numbers import by_number
from memfit.precision.formats import _ORDER

_FOLDER = Path(__file__).parents[2] / "src" / "memfit" / "precision" / "formats"
_WITHDRAWN = {4, 5, 31, 32, 33, 36, 37, 38}


@pytest.mark.parametrize("key", FORMATS.keys())
def test_a_format_file_keeps_the_law(key: str) -> None:
    format = FORMATS.get(key)
    assert fold(format.name) == key
    assert format.block_elements > 0
    assert format.block_bytes > 0
    assert format.summary
    assert "0c1e57098" in format.source
    assert ast.get_docstring(ast.parse((_FOLDER / f"{key}.py").read_text()))


def test_no_two_formats_share_a_number_a_name_or_an_alias() -> None:
    formats = list(FORMATS)
    assert len({format.number for format in formats}) == len(formats)
    names = [fold(name) for format in formats for name in (format.name, *format.aliases)]
    assert len(set(names)) == len(names)


def test_a_fallback_has_smaller_blocks_and_no_fallback_of_its_own() -> None:
    for format in FORMATS:
        if format.fallback is not None:
            second = FORMATS.get(format.fallback)
            assert second.name == format.fallback
            assert second.block_elements < format.block_elements
            assert second.fallback is None


@pytest.mark.parametrize(
    ("written", "name"), [("q4_k", "Q4_K"), ("Q4-K", "Q4_K"), ("fp16", "F16"), ("bfloat16", "BF16"), ("iq4nl", None)]
)
def test_a_format_is_found_by_any_of_its_names(written: str, name: str | None) -> None:
    if name is None:
        with pytest.raises(UnknownName) as caught:
            FORMATS.get(written)
        assert caught.value.nearest[0] == "iq4_nl"
    else:
        assert FORMATS.get(written).name == name


@pytest.mark.parametrize("format", list(FORMATS), ids=lambda format: format.name)
def test_every_number_leads_to_its_format_without_importing_the_rest(format: Format) -> None:
    assert format_of(format.number) is format
    assert _ORDER.split()[format.number] == fold(format.name)


@pytest.mark.parametrize("number", [4, 31, 38, 43, -1, 2**31])
def test_a_number_that_ggml_does_not_have_is_refused(number: int) -> None:
    with pytest.raises(UnknownName, match=f"'{number}'"):
        format_of(number)


def test_a_variant_that_the_guesses_miss_or_misplace_is_found_all_the_same() -> None:
    def number_of(format: Format) -> int:
        return format.number

    assert by_number(FORMATS, 12, number_of, order="") is FORMATS.get("Q4_K")
    assert by_number(FORMATS, 1, number_of, order="f16 f32") is FORMATS.get("F16")
    assert by_number(FORMATS, 0, number_of, order="gone") is FORMATS.get("F32")


def test_a_dropped_file_is_a_format_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "dropped_formats"
    folder.mkdir()
    (folder / "__init__.py").touch()
    source = (_FOLDER / "q8_0.py").read_text()
    (folder / "q8_9.py").write_text(source.replace("Q8_0", "Q8_9").replace("number=8", "number=99"))
    monkeypatch.syspath_prepend(str(tmp_path))
    catalog = Catalog("dropped_formats", folder, constant="FORMAT", kind="format", type=Format)
    found = by_number(catalog, 99, lambda format: format.number, order=_ORDER)
    assert found is not None
    assert found.name == "Q8_9"


def test_rows_that_blocks_do_not_divide_are_refused_with_a_way_out() -> None:
    with pytest.raises(UsageError, match=r"896 numbers .* Q4_K blocks of 256") as caught:
        FORMATS.get("Q4_K").tensor_bytes((896, 4))
    assert "Q8_0" in str(caught.value.hint)


@given(st.sampled_from(list(FORMATS)), st.integers(0, 64), st.lists(st.integers(1, 9), max_size=3))
def test_bytes_grow_with_blocks_and_rows(format: Format, blocks: int, rest: list[int]) -> None:
    dims = (blocks * format.block_elements, *rest)
    rows = 1
    for size in rest:
        rows *= size
    assert format.tensor_bytes(dims) == blocks * format.block_bytes * rows
    assert format.tensor_bytes(dims) * 8 == pytest.approx(format.bits * dims[0] * rows)


@pytest.mark.engine
def test_the_engine_knows_the_same_formats_and_no_others() -> None:
    base = library("ggml-base")
    known = {format.number: format for format in FORMATS}
    assert set(range(43)) - set(known) == _WITHDRAWN
    for number in range(43):
        name = base.ggml_type_name(number).decode()
        if number in _WITHDRAWN:
            assert base.ggml_type_size(number) == 0
            continue
        format = known[number]
        assert format.name == name.upper()
        assert format.block_elements == base.ggml_blck_size(number)
        assert format.block_bytes == base.ggml_type_size(number)
        assert format.quantized == base.ggml_is_quantized(number)
        assert format.row_bytes(1280 * 256) == base.ggml_row_size(number, 1280 * 256)
