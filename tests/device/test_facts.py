"""Every fact of the catalog: it touches only what it lists, and says None or nothing where nothing is there."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from trees import TreeHost, machine, names, write_tree

from memfit.device.audit_records import PowerMode
from memfit.device.boot import read_boot
from memfit.device.facts import FACTS
from memfit.device.facts.containers import parse_default_runtime
from memfit.device.identity import parse_boot_control, read_identity
from memfit.device.mounts import kind_of, read_storage
from memfit.device.nvpmodel import parse_modes, parse_status, read_power
from memfit.device.packages import parse_cuda, parse_packages, upstream
from memfit.device.release import Release, parse_tegra_release, read_release
from memfit.device.swaps import parse_memory_stat, parse_swaps, read_swaps
from memfit.host import Disk, LocalHost, Manifest
from memfit.host.record import record
from memfit.host.recorded import RecordedHost
from memfit.units import KIB

MINE = (
    "board boot clocks containers distribution fans gpu_load kernel nvmap power python rails release storage swaps "
    "zones"
).split()


class Watched(LocalHost):
    """A machine that remembers what it was asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        self.asked.append(path)
        return super().read_bytes(path, most=most)

    def list_dir(self, path: str) -> tuple[str, ...]:
        self.asked.append(path)
        return super().list_dir(path)

    def read_link(self, path: str) -> str:
        self.asked.append(path)
        return super().read_link(path)

    def glob(self, pattern: str) -> tuple[str, ...]:
        self.asked.append(pattern)
        return super().glob(pattern)


class Files(LocalHost):
    """A machine of a few files, with a disk of fixed size."""

    def __init__(self, root: Path, **files: str) -> None:
        super().__init__(root)
        for name, text in files.items():
            path = root / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def disk(self, path: str) -> Disk:
        return Disk(total_bytes=100, free_bytes=50)


def covered(path: str, patterns: tuple[str, ...]) -> bool:
    parts = path.strip("/").split("/")
    return any(
        len(parts) == len(wanted := pattern.strip("/").split("/"))
        and all(part == want or fnmatchcase(part, want) for part, want in zip(parts, wanted, strict=True))
        for pattern in patterns
    )


@pytest.mark.parametrize("key", MINE)
@pytest.mark.parametrize("name", names())
def test_a_fact_touches_only_what_it_lists(key: str, name: str, tmp_path: Path) -> None:
    write_tree(name, tmp_path)
    host, fact = Watched(tmp_path), FACTS.get(key)
    fact.read(host)
    assert host.asked
    assert [path for path in host.asked if not covered(path, fact.paths)] == []
    assert fact.provides


@pytest.mark.parametrize("name", names())
def test_a_recording_has_the_same_facts(name: str, tmp_path: Path) -> None:
    host = write_tree(name, tmp_path / "root")
    paths = tuple(path for fact in FACTS for path in fact.paths)
    record(host, Manifest(paths=paths), tmp_path / "recorded.tar.gz")
    recorded = RecordedHost(tmp_path / "recorded.tar.gz")
    for key, fact in FACTS.items():
        assert fact.read(recorded) == fact.read(host), key


@pytest.mark.parametrize("key", MINE)
def test_a_fact_of_nothing_is_nothing(key: str, tmp_path: Path) -> None:
    assert FACTS.get(key).read(LocalHost(tmp_path)) in (None, ())


@pytest.mark.parametrize("name", names())
def test_what_a_tree_is(name: str, tmp_path: Path) -> None:
    host, shown = write_tree(name, tmp_path), machine(name)
    release = FACTS.get("release").read(host)
    assert release.l4t == shown.l4t
    assert release.jetpack
    assert release.cuda in shown.packages[next(found for found in shown.packages if found.startswith("cuda-cudart"))]
    assert release.tensorrt in shown.packages["tensorrt"]
    assert FACTS.get("kernel").read(host) == shown.kernel
    assert FACTS.get("distribution").read(host) == shown.distribution[0]
    assert FACTS.get("python").read(host).startswith(("3.10.", "3.12."))
    power = FACTS.get("power").read(host)
    assert [mode.name for mode in power.modes] == list(shown.modes)
    assert power.mode == PowerMode(id=shown.mode, name=shown.modes[shown.mode])
    assert power.default_id == shown.default_mode
    boot = FACTS.get("boot").read(host)
    assert (boot.slot, boot.secure_boot, boot.root_device) == ("A", False, shown.disk[0])
    (storage,) = FACTS.get("storage").read(host)
    assert storage.total_bytes == shown.disk[1] * KIB
    assert storage.kind == {"agx-orin-64gb": "emmc", "orin-nano-8gb-headless": "sd"}.get(name, "nvme")
    swaps = FACTS.get("swaps").read(host)
    assert sum(swap.size_bytes for swap in swaps) == shown.swap_total * KIB
    assert sum(swap.used_bytes for swap in swaps) == shown.swap_used * KIB
    assert sum(swap.cost_bytes or 0 for swap in swaps) == shown.zram_cost * KIB
    containers = FACTS.get("containers").read(host)
    assert (containers is not None) == any(program.comm == "dockerd" for program in shown.programs)


def test_an_interrupted_update_shows_what_is_installed(tmp_path: Path) -> None:
    host = Files(
        tmp_path,
        etc__nv_tegra_release="# R36 (release), REVISION: 4.4, GCID: 1\n",
        var__lib__dpkg__status="Package: nvidia-l4t-core\nStatus: install ok installed\nVersion: 36.4.7-2025\n\n",
    )
    assert read_release(host) == Release(l4t="36.4.7", jetpack="6.2.1")


def test_an_image_without_a_package_database_has_its_libraries(tmp_path: Path) -> None:
    host = Files(tmp_path, etc__nv_tegra_release="# R38 (release), REVISION: 2.0, GCID: 1\n")
    for name in ("libnvinfer.so.10", "libnvinfer.so.10.13.3", "libnvinfer.so.10.9.0", "libcudnn.so.9.12.0"):
        Files(tmp_path, **{f"usr__lib__aarch64-linux-gnu__{name}": ""})
    Files(tmp_path, **{"usr__local__cuda-13.0__version.json": '{"cuda": {"version": "13.0.48"}}'})
    found = read_release(host)
    assert found is not None
    assert (found.l4t, found.tensorrt, found.cudnn, found.cuda) == ("38.2.0", "10.13.3", "9.12.0", "13.0.48")


def test_removed_packages_are_not_installed() -> None:
    text = (
        b"Package: a\nStatus: deinstall ok config-files\nVersion: 1\n\n"
        b"Package: b\nStatus: install ok installed\nVersion: 2:3.4-5\nDescription: x\n Package: c\n\n"
        b"Package: bb\nStatus: install ok installed\nVersion: 9"
    )
    assert parse_packages(text, ["a", "b+", "c"]) == {"b": "2:3.4-5", "bb": "9"}
    assert upstream("2:3.4-5") == "3.4"
    assert upstream("10.3.0.30-1+cuda12.5") == "10.3.0.30"
    assert upstream("6.2.1+b38") == "6.2.1"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('{"cuda_cudart": {"version": "12.6.68"}, "cuda": {"version": "12.6.11"}}', "12.6.68"),
        ('{"cuda": {"version": "12.6.11"}}', "12.6.11"),
        ('{"cuda": "12.6"}', None),
        ("[1]", None),
        ("{", None),
        ("[" * 100_000, None),
    ],
)
def test_cuda_by_its_version_file(text: str, version: str | None) -> None:
    assert parse_cuda(text) == version


@pytest.mark.parametrize(
    ("text", "l4t"),
    [
        ("# R36 (release), REVISION: 4.7, GCID: 42132812, BOARD: generic", "36.4.7"),
        ("# R35 (release), REVISION: 3.1, GCID: 1", "35.3.1"),
        ("R36", None),
        ("", None),
    ],
)
def test_the_release_file(text: str, l4t: str | None) -> None:
    assert parse_tegra_release(text) == l4t


def test_power_modes_however_they_are_written() -> None:
    text = (
        "<PARAM TYPE=FILE NAME=CPU_ONLINE >\n<POWER_MODEL ID=1 NAME=25W>\n  < POWER_MODEL NAME=MAXN ID=0 >\n"
        "# < POWER_MODEL ID=9 NAME=COMMENT >\n< POWER_MODEL ID=x NAME=y >\n< PM_CONFIG DEFAULT=1 >\n"
        "< FAN_CONFIG DEFAULT=3 >"
    )
    modes, default = parse_modes(text)
    assert [(mode.id, mode.name) for mode in modes] == [(0, "MAXN"), (1, "25W")]
    assert default == 1
    assert parse_modes("") == ((), None)
    assert (parse_status("pmode:0002 fmode:quiet"), parse_status("pmode:x")) == (2, None)


def test_without_a_status_the_default_mode_is_in_force(tmp_path: Path) -> None:
    host = Files(tmp_path, **{"etc__nvpmodel.conf": "< POWER_MODEL ID=0 NAME=A >\n< PM_CONFIG DEFAULT=0 >"})
    power = read_power(host)
    assert power is not None
    assert power.mode == PowerMode(id=0, name="A")


def test_the_link_to_a_modes_file_is_followed_in_an_unpacked_image(tmp_path: Path) -> None:
    host = Files(tmp_path, **{"etc__nvpmodel__nvpmodel_p3767.conf": "< POWER_MODEL ID=0 NAME=A >"})
    (tmp_path / "etc/nvpmodel.conf").symlink_to("/etc/nvpmodel/nvpmodel_p3767.conf")
    power = read_power(host)
    assert power is not None
    assert power.modes == (PowerMode(id=0, name="A"),)


def test_secure_boot_and_slot_by_firmware_variables_or_else_by_what_was_said(tmp_path: Path) -> None:
    host = Files(
        tmp_path,
        proc__cmdline="quiet root=/dev/sda1 boot.slot_suffix=_b root=/dev/mmcblk0p1",
        var__log__dmesg="[    0.000000] secureboot: Secure boot enabled\n",
    )
    boot = read_boot(host)
    assert boot is not None
    assert (boot.slot, boot.secure_boot, boot.root_device) == ("B", True, "/dev/mmcblk0p1")
    variables = tmp_path / "sys/firmware/efi/efivars"
    variables.mkdir(parents=True)
    (variables / "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c").write_bytes(b"\x06\0\0\0\0")
    (variables / "BootChainFwCurrent-781e084c-a330-417c-b678-38e696380cb9").write_bytes(b"\x06\0\0\0\0\0\0\0")
    boot = read_boot(host)
    assert boot is not None
    assert (boot.slot, boot.secure_boot) == ("A", False)


def test_boot_control_has_blanks_or_tabs() -> None:
    assert (
        parse_boot_control("TEGRA_X y\nTNSPEC\t\t\tP2771-0000-C04-devkit.default\n") == "P2771-0000-C04-devkit.default"
    )
    assert parse_boot_control("COMPATIBLE_SPEC 3767--0005--1--x-\nTNSPEC a-b\n") == "a-b"
    assert parse_boot_control("TNSPEC\n") is None


def test_an_unpacked_image_is_known_by_its_boot_spec(tmp_path: Path) -> None:
    found = read_identity(Files(tmp_path, **{"etc__nv_boot_control.conf": "TNSPEC 3767-300-0005-S.1-1-1-x-\n"}))
    assert found is not None
    assert (found.key, found.name, found.compatible, found.tegra) == ("orin_nano_8gb", "Orin Nano 8GB", (), True)


def test_another_board_keeps_its_model(tmp_path: Path) -> None:
    host = Files(
        tmp_path,
        **{
            "proc__device-tree__compatible": "raspberrypi,5\0brcm,bcm2712\0",
            "proc__device-tree__model": "Raspberry Pi 5\0",
        },
    )
    found = read_identity(host)
    assert found is not None
    assert (found.key, found.name, found.tegra) == (None, "Raspberry Pi 5", False)


def test_storage_by_its_device(tmp_path: Path) -> None:
    host = Files(
        tmp_path,
        proc__mounts=(
            "rootfs / rootfs rw 0 0\n/dev/mapper/crypt / ext4 rw 0 0\n/dev/mmcblk1p1 /media/my\\040card vfat rw 0 0\n"
            "/dev/mmcblk1p1 /again vfat rw 0 0\n/dev/loop3 /snap/core squashfs ro 0 0\ntmpfs /run tmpfs rw 0 0\n"
            "/dev/sda1 /usb ext4 rw 0 0\nbroken line\n"
        ),
        sys__block__mmcblk1__device__type="SD\n",
        **{"sys__class__block__dm-0__dm__name": "crypt\n"},
    )
    block = tmp_path / "sys/class/block"
    (block / "dm-0/slaves/nvme0n1p2").mkdir(parents=True)
    (block / "sda1").symlink_to("../../devices/platform/3610000.usb/usb2/2-3/block/sda/sda1")
    found = {storage.mount: (storage.device, storage.kind) for storage in read_storage(host)}
    assert found == {
        "/": ("/dev/mapper/crypt", "nvme"),
        "/media/my card": ("/dev/mmcblk1p1", "sd"),
        "/usb": ("/dev/sda1", "usb"),
    }
    assert kind_of(host, "192.168.1.2:/export") == "network"
    assert kind_of(host, "/dev/vda1") == "virtual"
    assert kind_of(host, "/dev/sdz") == "unknown"


def test_devices_that_lie_on_each_other_in_a_circle_end(tmp_path: Path) -> None:
    host = Files(tmp_path)
    (tmp_path / "sys/class/block/dm-0/slaves/dm-0").mkdir(parents=True)
    assert kind_of(host, "/dev/dm-0") == "unknown"


def test_swap_areas() -> None:
    text = (
        "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0 partition 650224 48874 5\n"
        "/my\\040swap file 100 0 -2\n/dev/x partition -1 0 0\nshort line\n"
    )
    zram, file = parse_swaps(text)
    assert (zram.kind, zram.size_bytes, zram.used_bytes, zram.priority) == ("zram", 650_224 * KIB, 48_874 * KIB, 5)
    assert (file.name, file.kind, file.priority) == ("/my swap", "file", -2)
    assert parse_memory_stat("100 40 48 0 48 1 0 0 0\n") == (100, 40, 48)
    assert parse_memory_stat("100 40\n") is None


def test_zram_that_is_no_swap_costs_memory_too(tmp_path: Path) -> None:
    host = Files(tmp_path, sys__block__zram1__mm_stat="4096 100 8192 0\n", sys__block__zram1__disksize="65536\n")
    (found,) = read_swaps(host)
    assert (found.kind, found.cost_bytes, found.size_bytes) == ("zram, not swap", 8192, 65_536)


def test_dockers_default_runtime() -> None:
    assert parse_default_runtime('{"default-runtime": "nvidia"}') == "nvidia"
    assert parse_default_runtime('// note\n{"default-runtime": 3}') is None
    assert parse_default_runtime("{") is None


def test_python_is_what_its_link_says_where_no_package_does(tmp_path: Path) -> None:
    host = Files(tmp_path, usr__bin__x="")
    (tmp_path / "usr/bin/python3").symlink_to("python3.12")
    assert FACTS.get("python").read(host) == "3.12"


def test_the_kernel_of_an_image_is_the_one_with_modules(tmp_path: Path) -> None:
    host = Files(tmp_path, **{"lib__modules__5.15.148-tegra__modules.dep": ""})
    assert FACTS.get("kernel").read(host) == "5.15.148-tegra"
    Files(tmp_path, **{"lib__modules__5.15.199-tegra__modules.dep": ""})
    assert FACTS.get("kernel").read(host) is None


def test_this_machine_answers(tmp_path: Path) -> None:
    host = LocalHost()
    for key in MINE:
        FACTS.get(key).read(host)
    assert FACTS.get("kernel").read(host)
    assert isinstance(write_tree(names()[0], tmp_path), TreeHost)
