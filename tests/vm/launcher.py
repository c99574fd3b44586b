"""What a Jetson's UEFI does between power and kernel: read ``extlinux.conf`` and load what its default names.

Plays edk2-nvidia's L4TLauncher (``Silicon/NVIDIA/Application/L4TLauncher/L4TLauncher.c``: ``ProcessExtLinuxConfig``,
``ExtLinuxBoot``) on a machine whose Secure Boot is off; ``FDT`` is read and left aside. As UEFI's reader of ext4 it
does not replay the journal: it sees what is in its place on the disk. So does GRUB, which it is where there is a
``grub.cfg`` and no ``extlinux.conf``: of that file the first entry counts, and no script.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import NamedTuple

from image import Image, call

CONFIGURATION = "/boot/extlinux/extlinux.conf"
GRUB_CONFIGURATION = "/boot/grub/grub.cfg"
MOST_LABELS = 10
# what a board was flashed with: used without a word where the file names nothing that can be loaded
FLASHED_ARGUMENTS = "root=/dev/vda rw rootwait rootfstype=ext4 console=ttyAMA0 flashed"
_OF_A_LABEL = ("MENU LABEL", "LINUX", "INITRD", "FDT", "APPEND")
_FIRMWARE_ARGUMENTS = "${cbootargs}"


class Entry(NamedTuple):
    """What is booted; ``label`` is None where that is the kernel partition."""

    label: str | None
    kernel: Path
    initrd: Path | None
    command_line: str


def load(disk: Path, image: Image, folder: Path, firmware_arguments: str) -> Entry:
    """What UEFI would boot from a disk.

    Args:
        disk: raw, one ext4 file system.
        image: has the kernel partition.
        folder: kernel and initrd are copied there, over those of an earlier boot.
        firmware_arguments: what firmware adds to every command line, behind what the file says.
    """
    text = _read(disk, CONFIGURATION, folder / "extlinux.conf")
    by_grub = None if text is not None else _read(disk, GRUB_CONFIGURATION, folder / "grub.cfg")
    if by_grub is not None:
        option = choose_of_grub(by_grub.read_text("utf-8", "replace"))
    else:
        option = choose("" if text is None else text.read_text("utf-8", "replace"))
    kernel = _read(disk, option.get("LINUX"), folder / "Image")
    initrd = _read(disk, option.get("INITRD"), folder / "initrd")
    if kernel is None or ("INITRD" in option and initrd is None):
        return Entry(None, image.kernel, image.initrd, f"{FLASHED_ARGUMENTS} {firmware_arguments}".strip())
    return Entry(option["LABEL"], kernel, initrd, f"{option.get('APPEND', '')} {firmware_arguments}".strip())


def choose(text: str) -> dict[str, str]:
    """The default's lines by keyword, ``LABEL`` among them; empty where there is no label.

    Keywords are capitals and need no space behind them. The last ``DEFAULT`` counts; one that names no label means the
    first label. Lines of an eleventh label replace those of the tenth.
    """
    options: list[dict[str, str]] = []
    default = None
    for line in text.splitlines():
        clean = line.partition("#")[0].strip(" \t")
        if clean.startswith("DEFAULT"):
            default = clean.removeprefix("DEFAULT").strip(" \t")
        elif clean.startswith("LABEL") and len(options) < MOST_LABELS:
            options.append({"LABEL": clean.removeprefix("LABEL").strip(" \t")})
        elif options and (key := next((key for key in _OF_A_LABEL if clean.startswith(key)), None)):
            options[-1][key] = clean.removeprefix(key).strip(" \t")
    option = next((option for option in options if option["LABEL"] == default), options[0] if options else {})
    if "APPEND" in option:  # firmware's own arguments come last in any case
        before, found, after = option["APPEND"].partition(_FIRMWARE_ARGUMENTS)
        option["APPEND"] = before + after.lstrip(" ") if found else before
    return option


def choose_of_grub(text: str) -> dict[str, str]:
    """The first entry of ``grub.cfg`` as ``choose`` gives a label; GRUB puts the kernel's own path first."""
    option = {"LABEL": "GRUB"}
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word in ("linux", "initrd"):
            path, _, arguments = rest.partition(" ")
            option.setdefault(word.upper(), path)
            if word == "linux":
                option.setdefault("APPEND", f"BOOT_IMAGE={path} {' '.join(arguments.split())}")
    return option


def _read(disk: Path, path: str | None, target: Path) -> Path | None:
    """Copy a file out of the disk; None where it is not there or empty."""
    target.unlink(missing_ok=True)
    if path and '"' not in path:
        # debugfs says what went wrong and ends well all the same: what counts is what it wrote
        call("debugfs", "-R", f'dump "{posixpath.join("/", path)}" "{target}"', disk)
    return target if target.is_file() and target.stat().st_size else None
