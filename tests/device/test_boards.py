"""Every board, whoever adds it: figures with grades and sources, names that match one machine."""

from pathlib import Path

import msgspec
import pytest
from trees import machine, names

from memfit.catalog import fold
from memfit.device import find_device
from memfit.device.boards import BOARDS, Board, Figure, find_board, part_numbers
from memfit.device.compatibility import JETPACKS
from memfit.device.compatibility._jetpack import parse_release
from memfit.errors import UsageError
from memfit.units import GIB, KIB, MIB

SHARED = Path(__file__).parents[3] / "shared/data/devices"
KEYS = BOARDS.keys()


def figures(board: Board) -> dict[str, Figure[object]]:
    found = {name: getattr(board, name) for name in board.__struct_fields__}
    tables = {f"power {table.name}": table.modes for table in board.power}
    defaults = {f"default {table.name}": table.default_id for table in board.power if table.default_id is not None}
    return {name: figure for name, figure in (found | tables | defaults).items() if isinstance(figure, Figure)}


@pytest.mark.parametrize("key", KEYS)
def test_every_figure_has_a_grade_and_a_source(key: str) -> None:
    board = BOARDS.get(key)
    for name, figure in figures(board).items():
        assert len(figure.source) > 5, name
        assert figure.grade in ("measured", "source", "datasheet", "inferred"), name
        assert (figure.grade == "datasheet") == ("not re-read" in figure.source), name
    for bug in board.bugs:
        assert bug.says
        assert bug.mend
        assert bug.source
        assert parse_release(bug.since or "0.0")


@pytest.mark.parametrize("key", KEYS)
def test_its_figures_hold_together(key: str) -> None:
    board = BOARDS.get(key)
    sizes = [figure.value for figure in (board.desktop_bytes, board.headless_bytes) if figure is not None]
    for size in sizes:
        assert 300 * MIB < size < 3 * GIB
    if board.desktop_bytes and board.headless_bytes:
        assert board.headless_bytes.value < board.desktop_bytes.value
    if board.physical_bytes and board.total_bytes:
        # what firmware and struct pages take: a bigger gap is a mistyped figure
        lost = board.physical_bytes.value - board.total_bytes.value
        assert board.physical_bytes.value * 0.0156 < lost < board.physical_bytes.value * 0.18
    if board.sms and board.cuda_cores:
        assert board.cuda_cores.value == board.sms.value * (
            64 if board.name.startswith(("Xavier", "AGX Xavier")) else 128
        )
    if board.super_bandwidth_bytes_per_s and board.bandwidth_bytes_per_s:
        assert board.super_bandwidth_bytes_per_s.value > board.bandwidth_bytes_per_s.value
    for table in board.power:
        assert [mode.id for mode in table.modes.value] == list(range(len(table.modes.value)))
        assert table.default_id is None or table.default_id.value < len(table.modes.value)


@pytest.mark.parametrize(
    ("key", "table", "modes", "default"),
    [
        ("orin_nano_8gb", "p3767_0003_super", "15W 25W MAXN_SUPER 7W", "25W"),
        ("orin_nano_4gb", "p3767_0004_super", "10W 25W MAXN_SUPER", "25W"),
        ("orin_nano_4gb", "p3767_0004", "10W 7W_AI 7W_CPU", "10W"),
        ("orin_nx_16gb", "p3767_0000", "MAXN 10W 15W 25W", "15W"),
        ("orin_nx_8gb", "p3767_0001_super", "MAXN_SUPER 10W 15W 20W 40W", "40W"),
        ("orin_nx_8gb", "p3767_0001", "MAXN 10W 15W 20W", "15W"),
        ("agx_orin_32gb", "p3701_0004", "MAXN MODE_15W MODE_30W MODE_40W", "MODE_30W"),
        ("agx_orin_64gb", "p3701_0000", "MAXN MODE_15W MODE_30W MODE_50W", "MODE_30W"),
        ("thor_t5000", "p3834_0008", "MAXN 120W 90W 70W", "120W"),
    ],
)
def test_power_modes_have_the_names_of_nvidias_files(key: str, table: str, modes: str, default: str) -> None:
    (found,) = (power for power in BOARDS.get(key).power if power.name == table)
    names = [mode.name for mode in found.modes.value]
    assert names == modes.split()
    assert found.default_id is not None
    assert names[found.default_id.value] == default


@pytest.mark.parametrize("key", KEYS)
def test_clocks_are_told_for_modes_that_exist_and_lie_below_the_boards_own(key: str) -> None:
    board = BOARDS.get(key)
    for table in board.power:
        if table.clocks is None:
            continue
        assert len(table.clocks.source) > 5
        assert [clocks.mode for clocks in table.clocks.value] == [mode.name for mode in table.modes.value]
        most = board.super_gpu_hz if table.is_super else board.gpu_hz
        for clocks in table.clocks.value:
            assert most is None or clocks.gpu_hz is None or clocks.gpu_hz <= most.value
            assert board.sms is None or clocks.sms is None or clocks.sms <= board.sms.value
            assert board.threads is None or clocks.cores is None or clocks.cores <= board.threads.value


@pytest.mark.parametrize(
    ("key", "table", "mode", "gpu_mhz", "memory_mhz", "sms", "cores"),
    [
        ("orin_nano_8gb", "p3767_0003_super", "15W", 612, 2133, 8, 6),
        ("orin_nano_8gb", "p3767_0003_super", "25W", 918, 3199, 8, 6),
        ("orin_nano_8gb", "p3767_0003", "7W", 408, 2133, 4, 4),
        ("orin_nano_4gb", "p3767_0004_super", "25W", 1020, 3199, 4, 6),
        ("orin_nx_16gb", "p3767_0000_super", "40W", 1173, None, 8, 8),
        ("orin_nx_8gb", "p3767_0001", "20W", 408, None, 8, 6),
        ("agx_orin_64gb", "p3701_0000", "MODE_30W", 612, None, 8, 8),
        ("agx_orin_32gb", "p3701_0004", "MODE_40W", 816, None, 14, 8),
    ],
)
def test_clocks_are_those_of_nvidias_files(
    key: str, table: str, mode: str, gpu_mhz: int, memory_mhz: int | None, sms: int, cores: int
) -> None:
    (power,) = (power for power in BOARDS.get(key).power if power.name == table)
    assert power.clocks is not None
    (clocks,) = (clocks for clocks in power.clocks.value if clocks.mode == mode)
    assert clocks.gpu_hz == gpu_mhz * 10**6
    assert clocks.memory_hz == (None if memory_mhz is None else memory_mhz * 10**6)
    assert (clocks.sms, clocks.cores) == (sms, cores)


@pytest.mark.parametrize("key", KEYS)
def test_a_board_is_a_record(key: str) -> None:
    board = BOARDS.get(key)
    assert msgspec.json.decode(msgspec.json.encode(board), type=Board) == board


@pytest.mark.parametrize("key", KEYS)
def test_a_board_can_be_estimated_for_or_says_what_it_lacks(key: str) -> None:
    board = BOARDS.get(key)
    if board.capacity_bytes is None:
        with pytest.raises(UsageError, match="not known") as refused:
            find_device(key)
        assert "--memory" in str(refused.value.hint)
        stated = find_device(key, memory_bytes=2 * GIB)
        assert (stated.name, stated.capacity_bytes, stated.grade) == (board.name, 2 * GIB, "stated")
        return
    device = find_device(key)
    assert device.capacity_bytes == board.capacity_bytes == (device.total_bytes or 0) - device.os_bytes
    assert device.grade == board.grade
    assert device.source
    assert device.threads > 1


def test_no_name_is_two_boards() -> None:
    owners: dict[str, str] = {}
    for key, board in BOARDS.items():
        for name in {fold(alias) for alias in board.aliases}:
            assert owners.setdefault(name, key) == key, name
            assert name not in KEYS or name == key


def test_a_grade_is_the_weaker_of_its_two_figures() -> None:
    assert BOARDS.get("orin_nano_8gb").grade == "measured"
    assert BOARDS.get("orin_nx_16gb").grade == "inferred"
    assert BOARDS.get("generic_linux").grade is None


@pytest.mark.parametrize(
    ("compatible", "spec", "total_gib", "key"),
    [
        (("nvidia,p3768-0000+p3767-0005-super", "nvidia,p3767-0005", "nvidia,tegra234"), None, 7, "orin_nano_8gb"),
        (("nvidia,p3768-0000+p3767-0003", "nvidia,tegra234"), None, 7, "orin_nano_8gb"),
        (("nvidia,p3768-0000+p3767-0004",), None, 3, "orin_nano_4gb"),
        (("nvidia,p3768-0000+p3767-0001",), None, 7, "orin_nx_8gb"),
        (("nvidia,p3737-0000+p3701-0004",), None, 29, "agx_orin_32gb"),
        (("nvidia,p3737-0000+p3701-0000",), None, 29, "agx_orin_32gb"),
        (("nvidia,p3737-0000+p3701-0000",), None, 61, "agx_orin_64gb"),
        (("nvidia,p3737-0000+p3701-0000",), None, None, None),
        (("nvidia,p3737-0000+p3701-0008",), None, 61, "agx_orin_industrial"),
        (("nvidia,p3740-0002+p3701-0008", "nvidia,p3701-0008", "nvidia,tegra234"), None, 61, "igx_orin"),
        (("nvidia,p4071-0000+p3834-0000", "nvidia,tegra264"), None, 60, "thor_t4000"),
        (("nvidia,p3509-0000+p3668-0003",), None, 15, "xavier_nx_16gb"),
        ((), "3767-300-0005-S.1-1-1-jetson-orin-nano-devkit-super-", None, "orin_nano_8gb"),
        ((), "3834--0008--1--jetson-agx-thor-devkit-", None, "thor_t5000"),
        ((), "P2771-0000-C04-devkit.default", None, None),
        (("raspberrypi,4-model-b", "brcm,bcm2711"), None, 7, None),
        (("vendor,xp3767-0005", "vendor,p3767-00050"), None, 7, None),
        ((), None, 7, None),
    ],
)
def test_a_machine_is_known_by_its_part_numbers(
    compatible: tuple[str, ...], spec: str | None, total_gib: int | None, key: str | None
) -> None:
    found = find_board(compatible, spec, total_bytes=None if total_gib is None else total_gib * GIB)
    assert (None if found is None else found[0]) == key


@pytest.mark.parametrize("name", names())
def test_the_machine_of_a_tree_is_in_the_catalog_and_like_it(name: str) -> None:
    shown = machine(name)
    found = find_board(shown.compatible, total_bytes=shown.total * KIB)
    assert found is not None
    board = found[1]
    assert board.physical_bytes is not None
    assert board.physical_bytes.value == shown.dram * KIB
    assert board.total_bytes is not None
    assert abs(board.total_bytes.value - shown.total * KIB) < 16 * MIB
    assert any(tuple(mode.name for mode in table.modes.value) == shown.modes for table in board.power)
    assert part_numbers(shown.compatible)[-1] == part_numbers((), shown.boot_spec)[0]


def test_the_real_thor_is_one() -> None:
    file = SHARED / "release/thor_r38.2_proc-device-tree-compatible.bin"
    if not file.is_file():
        pytest.skip("the device files are not beside this checkout")
    found = find_board(file.read_bytes().decode().split("\0"))
    assert found is not None
    assert found[0] == "thor_t5000"


def test_the_bug_of_a_release_names_releases_of_the_table() -> None:
    known = {jetpack.l4t.partition(".")[0] for jetpack in JETPACKS}
    since = [bug.since for board in BOARDS for bug in board.bugs if bug.since]
    assert since
    assert all(release.partition(".")[0] in known for release in since)
