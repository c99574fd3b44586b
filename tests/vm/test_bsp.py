"""What a patch of a kernel's device tree gives, on a kernel that boots with it: the rest of a BSP needs a board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from machine import Machine

from memfit.bsp._tools import put_string
from memfit.bsp.fdt import read_blob
from memfit.device.meminfo import parse_meminfo
from memfit.units import KIB, MIB

if TYPE_CHECKING:
    from image import Image

pytestmark = pytest.mark.vm


def total_bytes(folder: Path, image: Image, *, disabled: bool) -> int:
    """MemTotal of a machine whose device tree reserves 32 MiB, or did before it was patched."""
    machine = Machine(folder, image, carveouts={"display": 32 * MIB})
    tree = folder / "board.dtb"
    if disabled:
        (node,) = (node for node in read_blob(tree.read_bytes(), tree.name).walk() if node.name.startswith("display@"))
        tree.write_bytes(put_string(tree.read_bytes(), node.path, "status", "disabled", tree.name))
    try:
        machine.boot()
        return parse_meminfo(machine.ssh("cat /proc/meminfo"))["MemTotal"]
    finally:
        machine.kill()


def test_a_reserved_node_that_is_disabled_gives_its_memory_back(image: Image, tmp_path: Path) -> None:
    before = total_bytes(tmp_path / "reserved", image, disabled=False)
    after = total_bytes(tmp_path / "disabled", image, disabled=True)
    # the kernel keeps the pages of the tree itself, which fdtput leaves smaller
    assert abs(after - before - 32 * MIB) <= 128 * KIB
