"""The record of a board in a BSP: which of its files decide about memory, and how it is flashed."""

from __future__ import annotations

import msgspec

L4T_INITRD = (
    "sudo ./tools/kernel_flash/l4t_initrd_flash.sh --external-device nvme0n1p1 "
    "-c tools/kernel_flash/flash_l4t_t234_nvme.xml "
    '-p "-c bootloader/generic/cfg/flash_t234_qspi.xml" --showlogs --network usb0 jetson-orin-nano-devkit internal'
)
"""Jetson Linux Developer Guide, "Flashing to an NVMe drive", for p3767 modules on the developer kit's carrier."""
L4T_EMMC = "sudo ./flash.sh jetson-agx-orin-devkit internal"
"""Jetson Linux Developer Guide, "Quick Start", for p3701 modules on the developer kit's carrier."""


class BspBoard(msgspec.Struct, frozen=True, kw_only=True):
    """A module as the flash tools know it.

    Attributes:
        name: as its maker writes it.
        module: its part number, ``p3767-0003``; its family, ``p3767``, is what recipes are published for.
        configurations: names of ``.conf`` files of the tree, the first that is there says which files are flashed.
        mb1: the boot configuration of MB1 where no configuration says another. mb2: that of MB2.
        kernel_trees: patterns of the module's kernel device trees in ``kernel/dtb``.
        flash: the command that writes them, from the top of the tree.
        source: where all of it stands.
    """

    name: str
    module: str
    configurations: tuple[str, ...]
    mb1: str
    mb2: str
    kernel_trees: tuple[str, ...]
    flash: str
    source: str
    aliases: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """``p3767`` of ``p3767-0003``."""
        return self.module.partition("-")[0]


def orin_nx_nano(name: str, sku: str, *aliases: str) -> BspBoard:
    """A p3767 module: all of them share their boot configuration."""
    return BspBoard(
        name=name,
        module=f"p3767-{sku}",
        configurations=("jetson-orin-nano-devkit.conf", "p3768-0000-p3767-0000-a0.conf", "p3767.conf.common"),
        mb1="tegra234-mb1-bct-misc-p3767-0000.dts",
        mb2="tegra234-mb2-bct-misc-p3767-0000.dts",
        kernel_trees=(f"tegra234-*p3767-{sku}*.dtb",),
        flash=L4T_INITRD,
        source="p3767.conf.common and p3768-0000-p3767-0000-a0.conf of R36.2 (MISC_CONFIG, MB2_BCT, DTB_FILE)",
        aliases=aliases,
    )


def agx_orin(name: str, sku: str, *aliases: str) -> BspBoard:
    """A p3701 module of the developer kit."""
    return BspBoard(
        name=name,
        module=f"p3701-{sku}",
        configurations=("jetson-agx-orin-devkit.conf", "p3737-0000-p3701-0000.conf", "p3701.conf.common"),
        mb1="tegra234-mb1-bct-misc-p3701-0000.dts",
        mb2="tegra234-mb2-bct-misc-p3701-0000.dts",
        kernel_trees=(f"tegra234-*p3701-{sku}*.dtb",),
        flash=L4T_EMMC,
        source="p3701.conf.common and p3737-0000-p3701-0000.conf of R36.2 (MISC_CONFIG, MB2_BCT, DTB_FILE)",
        aliases=aliases,
    )
