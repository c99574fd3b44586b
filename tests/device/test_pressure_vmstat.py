from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from memfit.device.pressure import Pressure, parse_pressure, read_pressure
from memfit.device.vmstat import parse_vmstat, read_vmstat
from memfit.host import LocalHost

PRESSURE = "some avg10=1.20 avg60=0.00 avg300=0.00 total=262473\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=246786\n"
NEW = (
    "pgfault 100\npgmajfault 7\nworkingset_refault_anon 3\nworkingset_refault_file 4\npswpin 1\npswpout 2\noom_kill 5\n"
)


def test_pressure_totals_are_seconds() -> None:
    assert parse_pressure(PRESSURE) == Pressure(some_s=0.262473, full_s=0.246786)


def test_pressure_of_a_kernel_that_counts_only_some() -> None:
    assert parse_pressure("some avg10=0.00 total=1000000\n") == Pressure(some_s=1.0, full_s=0.0)
    assert parse_pressure("full total=5") is None
    assert parse_pressure("") is None


def test_a_kernel_without_them(tmp_path: Path) -> None:
    assert read_pressure(LocalHost(tmp_path)) is None
    assert read_vmstat(LocalHost(tmp_path)) is None


def test_vmstat() -> None:
    found = parse_vmstat(NEW)
    assert found is not None
    assert (found.faults, found.major_faults, found.refaults, found.oom_kills) == (100, 7, 7, 5)
    assert (found.swapped_in_pages, found.swapped_out_pages) == (1, 2)


def test_vmstat_of_old_kernels() -> None:
    found = parse_vmstat("pgfault 1\nworkingset_refault 9\n")
    assert found is not None
    assert (found.refaults, found.oom_kills) == (9, None)
    assert parse_vmstat("something else 1\n") is None


@given(st.text(max_size=300))
def test_wild_text_is_no_reason_to_fail(text: str) -> None:
    parse_pressure(text)
    parse_vmstat(text)
