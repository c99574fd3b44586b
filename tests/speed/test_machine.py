"""Boards in their power modes, and peaks against the data sheets' own figures."""

import pytest

from memfit.device.boards import BOARDS
from memfit.errors import UnknownName, UsageError
from memfit.speed.machine import machine_of, math_of, peak_flops
from memfit.speed.records import Math


@pytest.mark.parametrize(
    ("board", "mode", "math", "sparse", "tera"),
    [
        ("orin_nano_8gb", "MAXN_SUPER", "int8", 2, 67),
        ("orin_nano_8gb", "p3767_0003/15W", "int8", 2, 41),  # 40 TOPS on the data sheet, at 625 MHz
        ("orin_nano_4gb", "MAXN_SUPER", "int8", 2, 34),
        ("orin_nx_16gb", "MAXN_SUPER", "int8", 2, 77),  # 157 with two DLAs of 40
        ("agx_orin_64gb", "MAXN", "int8", 2, 170),  # 275 with two DLAs of 52.5
        ("thor_t5000", "MAXN", "fp4", 2, 2064),
        ("agx_xavier_32gb", None, "fp16", 1, 11.3),
    ],
)
def test_peaks_are_those_of_the_data_sheets(board: str, mode: str, math: Math, sparse: int, tera: float) -> None:
    assert sparse * peak_flops(machine_of(BOARDS.get(board), mode), math) / 1e12 == pytest.approx(tera, rel=0.02)


def test_modes_limit_clocks_memory_and_sms() -> None:
    nano = BOARDS.get("orin_nano_8gb")
    modes = {mode: machine_of(nano, mode) for mode in ("MAXN_SUPER", "25W", "15W", "7W")}
    assert [machine.unit_hz // 10**6 for machine in modes.values()] == [1020, 918, 612, 408]
    assert [machine.units for machine in modes.values()] == [8, 8, 8, 4]
    gigabytes = [round(machine.bandwidth_bytes_per_s / 1e9) for machine in modes.values()]
    assert gigabytes == [102, 102, 68, 68]
    assert "nvpmodel_p3767_0003_super" in modes["25W"].source


def test_without_a_mode_the_highest_is_taken() -> None:
    assert machine_of(BOARDS.get("orin_nano_8gb")).mode == "MAXN_SUPER"
    assert machine_of(BOARDS.get("agx_orin_64gb")).mode == "MAXN"
    assert machine_of(BOARDS.get("agx_orin_64gb"), "MODE_30W").units == 8
    assert machine_of(BOARDS.get("thor_t5000")).mode == "MAXN"
    # its file names no mode that sets no limit, and its clocks by mode are not known
    assert machine_of(BOARDS.get("xavier_nx_8gb")).mode == "highest"


def test_a_mode_can_be_of_the_module_without_super() -> None:
    old, new = (machine_of(BOARDS.get("orin_nano_8gb"), mode) for mode in ("p3767_0003/15W", "p3767_0003_super/15W"))
    assert (old.unit_hz, new.unit_hz) == (625 * 10**6, 612 * 10**6)
    assert old.bandwidth_bytes_per_s == pytest.approx(new.bandwidth_bytes_per_s, rel=0.01)


def test_the_cpu_has_cores_for_units() -> None:
    machine = machine_of(BOARDS.get("orin_nano_8gb"), "7W", on_cpu=True)
    assert (machine.chip, machine.units, machine.unit_hz) == ("CPU", 4, 960 * 10**6)


def test_a_mode_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="power mode") as refused:
        machine_of(BOARDS.get("orin_nano_8gb"), "MAXN_SUPPER")
    assert refused.value.nearest[0] == "MAXN_SUPER"


def test_a_board_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(UsageError, match="not known"):
        machine_of(BOARDS.get("generic_linux"))


def test_a_format_without_arithmetic_is_computed_in_sixteen_bits() -> None:
    orin, thor = machine_of(BOARDS.get("agx_orin_64gb")), machine_of(BOARDS.get("thor_t5000"))
    assert math_of(orin, "fp4") == math_of(orin, "fp8") == "fp16"
    assert math_of(thor, "fp4") == "fp4"
    assert peak_flops(orin, "fp8") == peak_flops(orin, "fp16")


@pytest.mark.parametrize("key", [key for key, board in BOARDS.items() if board.gpu_hz])
def test_every_mode_of_every_board_with_clocks_makes_a_machine(key: str) -> None:
    board = BOARDS.get(key)
    best = machine_of(board)
    for table in board.power:
        for mode in table.modes.value:
            machine = machine_of(board, f"{table.name}/{mode.name}")
            assert machine.bandwidth_bytes_per_s <= best.bandwidth_bytes_per_s
            assert machine.unit_hz <= best.unit_hz
            assert machine.units <= best.units
