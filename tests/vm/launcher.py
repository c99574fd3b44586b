"""What a Jetson's UEFI does between power and kernel: read ``extlinux.conf`` and load what its default names.

Plays edk2-nvidia's L4TLauncher (``Silicon/NVIDIA/Application/L4TLauncher/L4TLauncher.c``: ``ProcessExtLinuxConfig``,
``ExtLinuxBoot``) on a machine whose Secure Boot is off. Like UEFI's reader of ext4 it does not replay the journal: it
sees what is in its place on the disk.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from image import Image, call

CONFIGURATION = "/boot/extlinux/extlinux.conf"
MOST_LABELS = 10
# what a board was flashed with: used where the file cannot be read, without a word
FLASHED_ARGUMENTS = "root=/dev/vda rw rootwait rootfstype=ext4 console=ttyAMA0 flashed"
_KEYS = {"MENU LABEL": "menu", "LINUX": "linux", "INITRD": "initrd", "FDT": "fdt", "APPEND": "append"}


class Entry(NamedTuple):
    """What is booted; ``label`` is None where the kernel partition was."""

    label: str | None
    kernel: Path
    initrd: Path | None
    command_line: str


def load(disk: Path, image: Image, folder: Path, firmware_arguments: str) -> Entry:
    """What UEFI would boot from a raw disk; kernel and initrd are copied into ``folder``.

    Args:
        disk: raw, one ext4 file system.
        image: has the kernel partition.
        folder: replaced are ``Image`` and ``initrd`` in it.
        firmware_arguments: what firmware adds to every command line, after what the file says.
    """
    text = _read(disk, CONFIGURATION, folder / "extlinux.conf")
    option = default_option(text) if text is not None else None
    kernel = None if option is None else _read(disk, option.get("linux", ""), folder / "Image")
    if option is None or kernel is None:
        return Entry(None, image.kernel, image.initrd, f"{FLASHED_ARGUMENTS} {firmware_arguments}".strip())
    initrd = folder / "initrd"
    if "initrd" in option and _read(disk, option["initrd"], initrd) is None:
        return Entry(None, image.kernel, image.initrd, f"{FLASHED_ARGUMENTS} {firmware_arguments}".strip())
    line = f"{option.get('append', '')} {firmware_arguments}".strip()
    return Entry(option["label"], folder / "Image", initrd if "initrd" in option else None, line)
