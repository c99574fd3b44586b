"""Mounted file systems and what kind of device holds them."""

from __future__ import annotations

import re

import msgspec

from memfit.device.audit_records import Storage
from memfit.device.reading import read_text
from memfit.errors import ProbeError
from memfit.host import Host

MOUNTS = "/proc/mounts"
_BLOCK = "/sys/class/block"
PATHS = (MOUNTS, _BLOCK, f"{_BLOCK}/*", f"{_BLOCK}/*/slaves", f"{_BLOCK}/*/dm/name", "/sys/block/mmcblk*/device/type")
_ESCAPE = re.compile(r"\\([0-7]{3})")
_MOST_DEPTH = 8  # device mapper on device mapper: LUKS on LVM is two


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the mount table."""

    device: str
    mount: str
    system: str


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """Lines ``device mount system options …``; spaces in names are written as octal digits there."""
    found = []
    for line in text.splitlines():
        words = line.split(" ")
        if len(words) >= 4 and words[1].startswith("/"):
            found.append(Mount(device=_plain(words[0]), mount=_plain(words[1]), system=words[2]))
    return tuple(found)


def read_storage(host: Host) -> tuple[Storage, ...]:
    """File systems on devices, and ``/`` whatever holds it; one that is mounted in several places is named once.

    In an unpacked image there is no mount table: its own files lie on the disk of another machine.
    """
    found: dict[str, Storage] = {}
    for mount in parse_mounts(read_text(host, MOUNTS, most=1 << 20) or ""):
        on_device = mount.device.startswith("/dev/") and not mount.device.startswith("/dev/loop")
        # a later mount on / hides an earlier one (rootfs below an initrd)
        key = "/" if mount.mount == "/" else mount.device
        if (key in found and key != "/") or not (on_device or mount.mount == "/"):
            continue
        if key != "/" and "/" in found and found["/"].device == mount.device:
            continue
        try:
            disk = host.disk(mount.mount)
        except ProbeError:
            continue
        found[key] = Storage(
            mount=mount.mount,
            device=mount.device,
            kind=kind_of(host, mount.device),
            total_bytes=disk.total_bytes,
            free_bytes=disk.free_bytes,
        )
    return tuple(found.values())


def kind_of(host: Host, device: str, *, depth: int = 0) -> str:
    """``nvme``, ``emmc``, ``sd``, ``usb``, ``sata``, ``network``, ``virtual`` or ``unknown`` of ``/dev/mmcblk0p1``."""
    if not device.startswith("/dev/"):
        return "network" if ":" in device or device == "nfs" else "virtual"
    name = device.rpartition("/")[2]
    if device.startswith("/dev/mapper/") and not name.startswith("dm-"):
        name = _mapped(host, name)
    if name.startswith("nvme"):
        return "nvme"
    if name.startswith("mmcblk"):
        return _card(host, name)
    if name.startswith(("vd", "loop", "ram", "zram", "xvd")):
        return "virtual"
    if name.startswith(("dm-", "md")) and depth < _MOST_DEPTH:
        below = _names(host, f"{_BLOCK}/{name}/slaves")
        kinds = {kind_of(host, f"/dev/{slave}", depth=depth + 1) for slave in below}
        return kinds.pop() if len(kinds) == 1 else "unknown"
    if name.startswith("sd"):
        return _disk(host, name)
    return "unknown"


def _card(host: Host, name: str) -> str:
    whole = name.partition("p")[0]
    said = read_text(host, f"/sys/block/{whole}/device/type", most=64)
    return {"MMC": "emmc", "SD": "sd"}.get(said or "", "unknown")


def _disk(host: Host, name: str) -> str:
    try:
        place = host.read_link(f"{_BLOCK}/{name}")
    except ProbeError:
        return "unknown"
    if "/usb" in place:
        return "usb"
    return "virtual" if "/virtio" in place else "sata" if "/ata" in place else "unknown"


def _mapped(host: Host, name: str) -> str:
    """The ``dm-`` device that ``/dev/mapper/NAME`` is a link to."""
    for device in _names(host, _BLOCK):
        if device.startswith("dm-") and read_text(host, f"{_BLOCK}/{device}/dm/name", most=256) == name:
            return device
    return ""


def _names(host: Host, folder: str) -> tuple[str, ...]:
    try:
        return host.list_dir(folder)
    except ProbeError:
        return ()


def _plain(word: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), word)
