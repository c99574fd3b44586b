import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.errors import UnitError
from memfit.units import GIB, MIB, format_bytes, format_tokens, parse_bytes, parse_seconds, parse_tokens


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("7.4GiB", 7945689497),
        ("512MiB", 512 * MIB),
        ("8GB", 8_000_000_000),
        ("1048576", 1048576),
        ("0.5 KiB", 512),
        (" 2 tib ", 2 * 1024 * GIB),
    ],
)
def test_sizes_are_read_exactly(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "GiB", "-1GiB", "1.5", "seven", "1GiBs", "1,5GiB", "nan", "inf", "0x10", "\u0663GiB", "9" * 6000 + "MiB"],
)
def test_what_is_no_size_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UnitError) as refused:
        parse_bytes(text)
    assert refused.value.hint


def test_an_ambiguous_unit_is_refused_and_both_readings_are_named() -> None:
    with pytest.raises(UnitError) as refused:
        parse_bytes("4G")
    assert "4GiB" in str(refused.value.hint)
    assert "4GB" in str(refused.value.hint)
    assert parse_bytes("4G", short="binary") == 4 * GIB
    assert parse_bytes("4G", short="decimal") == 4 * 10**9


@given(st.integers(min_value=0, max_value=2**60))
def test_plain_bytes_round_trip(size: int) -> None:
    assert parse_bytes(str(size)) == size


@given(st.integers(min_value=0, max_value=2**40))
def test_large_sizes_lose_nothing_to_floats(size: int) -> None:
    assert parse_bytes(f"{size}GiB") == size * GIB


@given(st.text(max_size=20))
def test_any_text_is_a_size_or_a_unit_error(text: str) -> None:
    with contextlib.suppress(UnitError):
        assert parse_bytes(text) >= 0


@pytest.mark.parametrize(("text", "count"), [("8192", 8192), ("8k", 8192), ("128K", 131072), ("1.5k", 1536), ("0", 0)])
def test_tokens(text: str, count: int) -> None:
    assert parse_tokens(text) == count


@pytest.mark.parametrize("text", ["8kB", "-1", "", "1.0001k", "many", "9" * 6000])
def test_what_is_no_count_of_tokens_is_refused(text: str) -> None:
    with pytest.raises(UnitError):
        parse_tokens(text)


def test_text_for_people() -> None:
    assert format_bytes(0) == "0.0 MiB"
    assert format_bytes(2048) == "2.0 KiB"
    assert format_bytes(1918 * MIB) == "1918.0 MiB"
    assert format_bytes(15 * GIB) == "15.00 GiB"
    assert format_bytes(-3 * MIB) == "-3.0 MiB"
    assert format_tokens(8192) == "8k"
    assert format_tokens(1000) == "1000"


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("10 min", 600), ("1.5h", 5400), ("0", 0)]
)
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "10d", "-5s", "1:30", "ten", "9" * 6000])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(UnitError, match="not a length of time"):
        parse_seconds(text)
