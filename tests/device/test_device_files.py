"""Every file of real devices that lies beside the checkout, each with the parser it is for; a new one must be named."""

from __future__ import annotations

import csv
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from trees import machine, names

from memfit.device.boards import BOARDS, find_board, part_numbers
from memfit.device.boot import parse_root
from memfit.device.boot_log import parse_boot_log
from memfit.device.carveouts import boot_configuration
from memfit.device.compatibility import find_jetpack, jetpack_of
from memfit.device.identity import parse_boot_control
from memfit.device.meminfo import parse_meminfo
from memfit.device.nvmap import parse_clients, parse_total
from memfit.device.packages import parse_packages
from memfit.device.release import parse_tegra_release
from memfit.device.tegrastats import parse_line
from memfit.device.tegrastats_log import parse_log
from memfit.units import KIB, MIB

ROOT = Path(__file__).parents[3] / "shared/data/devices"
FILES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()) if ROOT.is_dir() else []


# id 39 has two names: the BSP's header calls it CCPLEX_SMMU_PTW, the sources that fill it DISP_EARLY_BOOT_FB
_OTHER_NAMES = {"CCPLEX_SMMU_PTW": "DISP_EARLY_BOOT_FB"}
_GIVEN_BACK = ("RCM_BLOB", "TEMP_MB2_IO_BUFFERS")


def carveouts(path: Path) -> None:
    """The boot configuration of every board and release is the one that an audit knows, entry by entry."""
    told: dict[tuple[str, str], dict[str, int]] = {}
    for row in csv.DictReader(path.read_text().splitlines()):
        name, size = row["carveout"].removeprefix("CARVEOUT_"), int(row["size_bytes"])
        if size and name not in _GIVEN_BACK:
            told.setdefault((row["bsp"], row["board"]), {})[_OTHER_NAMES.get(name, name)] = size
    assert told
    for (bsp, board), expected in told.items():
        known = boot_configuration((f"nvidia,{board}",), bsp.removeprefix("r"))
        assert {entry.name: entry.bytes for entry in known} == expected


def boot_sources(path: Path) -> None:
    """Sources of a boot configuration: what a board takes down to nothing is no carveout of it."""
    named_parts(path)
    text = path.read_text()
    zeroed = re.findall(r"aux_info@CARVEOUT_(\w+) \{[^}]*\bsize = <0x0 0x0>", text)
    known = {entry.name for entry in boot_configuration((path.name,), "36.2")}
    assert known
    assert known.isdisjoint(zeroed)
    assert bool(zeroed) == ("p3767" in path.name)


def board_files(path: Path) -> None:
    named_parts(path)
    text = path.read_text()
    if "crashkernel=" in text:
        assert "750M" in text  # what the check names as its source


def named_parts(path: Path) -> None:
    """BSP files are named by part numbers, the same that boards are known by."""
    known = {part.split("-")[0] for board in BOARDS for part in (*board.modules, *board.carriers)}
    parts = part_numbers([path.name])
    # p3768, p3737 and p3740 are carriers; "p3701.conf.common" names a module without its SKU
    assert {part.split("-")[0] for part in parts} & known or not parts
    if "p3740-0002" in parts:
        found = find_board([path.name])
        assert found is not None
        assert found[0] == "igx_orin"


def tree_blob(path: Path) -> None:
    """A kernel's device tree: its board is in the catalog, its CMA that of the written trees."""
    properties = dict(walk(path.read_bytes()))
    compatible = properties.get(("", "compatible"), b"").decode().split("\0")
    if path.suffix == ".dtbo":
        assert properties
        return
    found = find_board(compatible)
    assert found is not None
    trees = [machine(name) for name in names()]
    cma = int.from_bytes(properties["/reserved-memory/linux,cma", "size"], "big")
    like = [tree for tree in trees if find_board(tree.compatible, total_bytes=tree.total * KIB) == found]
    assert {tree.cma * KIB for tree in like} == {cma}


def walk(blob: bytes) -> Iterator[tuple[tuple[str, str], bytes]]:
    """Properties of a flattened device tree by path and name (Devicetree Specification 0.4, chapter 5)."""
    place, strings = struct.unpack(">II", blob[8:16])
    path: list[str] = []
    while True:
        (token,) = struct.unpack(">I", blob[place : place + 4])
        place += 4
        if token == 1:
            end = blob.index(b"\0", place)
            path.append(blob[place:end].decode())
            place = (end + 4) & ~3
        elif token == 2:
            path.pop()
        elif token == 3:
            size, name = struct.unpack(">II", blob[place : place + 8])
            place += 8
            end = blob.index(b"\0", strings + name)
            yield ("/".join(path), blob[strings + name : end].decode()), blob[place : place + size]
            place = (place + size + 3) & ~3
        elif token == 9:
            return


def kernel_log(path: Path) -> None:
    text = path.read_text()
    log = parse_boot_log(text)
    if "available (" in text:
        # the trees of that board are written from these figures
        tree = machine("orin-nano-8gb-desktop")
        assert log.linux_bytes == tree.present * KIB
        assert log.cma_bytes == tree.cma * KIB
    if sized := re.search(r"nvmap page pool size: (\d+) pages", text):
        assert log.nvmap_pool_limit_bytes == int(sized[1]) * 4096


def boot_entries(path: Path) -> None:
    lines = [line.split(None, 1)[1] for line in path.read_text().splitlines() if line.strip().startswith("APPEND")]
    assert lines
    for line in lines:
        root = parse_root(line)
        assert (root is None) == ("root=" not in line)
        assert root is None or root.startswith("/dev/")


def memory(path: Path) -> None:
    text = path.read_text()
    if "tegrastats" in path.name:
        samples = [sample for line in text.splitlines() if (sample := parse_line(line))]
        assert [sample.total_bytes for sample in samples] == [7620 * MIB]
        return
    sizes = parse_meminfo(text)
    if "nvidia-smi" in path.name:
        assert sizes == {}  # it says nothing of memory on Orin
    elif "NvMapMem" in path.name:
        assert sizes["NvMapMemUsed"] == 805_068 * KIB
    else:
        tree = machine("orin-nano-8gb-desktop")
        assert sizes["MemTotal"] == tree.total * KIB
        assert sizes["MemAvailable"] == tree.available * KIB
        assert sizes["Slab"] == tree.slab * KIB


def clients(path: Path) -> None:
    found = parse_clients(path.read_text())
    assert (found == ()) == path.name.endswith("_bad.txt")
    assert sum(client.bytes for client in found) <= (parse_total(path.read_text()) or 0)


def packages(path: Path) -> None:
    assert parse_packages(path.read_bytes(), ["nvidia-l4t-core"]) == {}  # a list of another form: no crash, no guess
    assert '"nvidia-l4t-core"' in path.read_text()


def release(path: Path) -> None:
    if path.name == "thor_r38.2_proc-device-tree-compatible.bin":
        found = find_board(path.read_bytes().decode().split("\0"))
        assert found is not None
        assert found[0] == "thor_t5000"
        return
    text = path.read_text()
    if path.name.endswith("nv_boot_control.conf"):
        assert part_numbers([], parse_boot_control(text)) == ("p2771-0000",)
    elif "REVISION" in text:
        parts = [parse_tegra_release(part) for part in re.split(r"^---\n", text, flags=re.M)]
        assert all(jetpack_of(l4t) for l4t in parts)
    elif path.name.endswith("environment_info.md"):
        assert parse_tegra_release(text) is None  # a report in words, not the file
        jetpack = find_jetpack("36.2.0")
        assert jetpack is not None
        assert (jetpack.cuda or "").startswith(re.findall(r"CUDA Version:\*\* ([0-9.]+)", text)[0])
    else:
        assert parse_tegra_release(text) is None


def units(path: Path) -> None:
    """The units that the trees have enabled are units of a real board."""
    listed = set(re.findall(r"^([\w@.-]+\.service)", path.read_text(), re.M))
    assert listed
    if path.name.endswith("_enabled.txt"):
        assert set(machine("agx-orin-64gb").units) <= listed


def lines(path: Path) -> None:
    if path.suffix == ".raw":
        log = parse_log(path.read_text().splitlines())
        assert log.samples == len(path.read_text().splitlines())
        assert log.unread == ()
        return
    for line in path.read_text().splitlines():
        sample = parse_line(line)
        assert (sample is None) == line.startswith("#")


READERS: dict[str, Callable[[Path], None]] = {
    "bct/derived": carveouts,
    "bct/r36.2": boot_sources,
    "boardconf": board_files,
    "dmesg": kernel_log,
    "dtb": tree_blob,
    "extlinux": boot_entries,
    "meminfo": memory,
    "nvmap": clients,
    "packages": packages,
    "release": release,
    "services": units,
    "tegrastats": lines,
}


@pytest.mark.skipif(not FILES, reason="the device files are not beside this checkout")
@pytest.mark.parametrize("name", FILES)
def test_every_file_is_read_by_its_parser(name: str) -> None:
    READERS[str(Path(name).parent)](ROOT / name)
