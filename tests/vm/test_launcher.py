"""The boot loader that the booted kernels' tests play, without a kernel."""

from __future__ import annotations

from pathlib import Path

import pytest
from image import HERE, Image, Unavailable, call, require
from launcher import FLASHED_ARGUMENTS, choose, choose_of_grub, load

TWO = """
TIMEOUT 30
DEFAULT primary  # the one that was flashed
LABEL primary
      LINUX /boot/Image
      APPEND ${cbootargs} root=/dev/vda rw
LABEL memfit
      LINUX /boot/Image
      APPEND ${cbootargs} root=/dev/vda rw swiotlb=2048
"""


def test_what_is_flashed_boots_its_label() -> None:
    option = choose((HERE / "rootfs/boot/extlinux/extlinux.conf").read_text())
    assert option["LABEL"] == "primary"
    assert option["LINUX"] == "/boot/Image"
    assert option["APPEND"].startswith("root=/dev/vda rw ")


@pytest.mark.parametrize(
    ("text", "label", "arguments"),
    [
        (TWO, "primary", "root=/dev/vda rw"),
        (TWO + "DEFAULT memfit\n", "memfit", "root=/dev/vda rw swiotlb=2048"),
        (TWO.replace("DEFAULT primary", "DEFAULT missing"), "primary", "root=/dev/vda rw"),
        (TWO.replace("DEFAULT primary", "default memfit"), "primary", "root=/dev/vda rw"),
        (TWO.replace("rw swiotlb", "rw # swiotlb") + "DEFAULT memfit", "memfit", "root=/dev/vda rw"),
    ],
)
def test_which_entry_and_which_arguments(text: str, label: str, arguments: str) -> None:
    option = choose(text)
    assert (option["LABEL"], option["APPEND"]) == (label, arguments)


def test_an_eleventh_label_spoils_the_tenth() -> None:
    labels = "".join(f"LABEL {number}\nAPPEND {number}\n" for number in range(11))
    assert choose(f"DEFAULT 9\n{labels}") == {"LABEL": "9", "APPEND": "10"}
    assert choose(f"DEFAULT 10\n{labels}")["LABEL"] == "0"


def test_of_grub_the_first_entry_counts() -> None:
    text = "menuentry 'a' {\n\tlinux /boot/Image  root=/dev/vda rw\n\tinitrd /boot/initrd\n}\nlinux /boot/other\n"
    assert choose_of_grub(text) == {
        "LABEL": "GRUB",
        "LINUX": "/boot/Image",
        "INITRD": "/boot/initrd",
        "APPEND": "BOOT_IMAGE=/boot/Image root=/dev/vda rw",
    }
    assert choose_of_grub("") == {"LABEL": "GRUB"}


def test_what_cannot_be_loaded_boots_the_kernel_partition(tmp_path: Path) -> None:
    try:
        require({"mke2fs": "e2fsprogs", "debugfs": "e2fsprogs"})
    except Unavailable as why:
        pytest.skip(str(why))
    image = Image(*(tmp_path / name for name in Image._fields))
    tree, disk, loaded = (tmp_path / name for name in ("tree", "disk", "loaded"))
    (tree / "boot/extlinux").mkdir(parents=True)
    (tree / "boot/Image").write_text("a kernel")
    loaded.mkdir()
    for text, label in ((TWO, "primary"), (TWO.replace("/boot/Image", "/boot/none"), None), ("", None)):
        (tree / "boot/extlinux/extlinux.conf").write_text(text)
        disk.unlink(missing_ok=True)
        call("mke2fs", "-q", "-t", "ext4", "-d", tree, disk, "4M")
        entry = load(disk, image, loaded, "panic=1")
        assert entry.label == label
        assert entry.kernel == (loaded / "Image" if label else image.kernel)
        assert entry.command_line == f"{'root=/dev/vda rw' if label else FLASHED_ARGUMENTS} panic=1"
