"""Compressed swap of an image: whether its kernel has what it would be packed with."""

from __future__ import annotations

from pathlib import Path

import pytest

from memfit.device.audit import audit
from memfit.host.rootfs import RootfsHost
from memfit.knob import Offer, Wish, offers
from memfit.knob._zram_kernels import read_kernels
from small_image import make_image
from whole_machine import machine

L4T, NEW = "5.15.148-tegra", "6.12.30-custom"
BUILT_IN = "kernel/crypto/lzo.ko\nkernel/crypto/lzo-rle.ko\nkernel/fs/ext4/ext4.ko\n"
LOADABLE = "kernel/drivers/block/zram/zram.ko: kernel/crypto/lz4hc.ko\nkernel/crypto/lz4.ko.zst: kernel/lib/lz4/x.ko\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = make_image(tmp_path)
    (made / "usr/lib/systemd/system/nvzramconfig.service").write_text("[Unit]\n")
    return made


def kernel(root: Path, version: str = L4T, **lists: str) -> None:
    folder = root / "lib/modules" / version
    folder.mkdir(parents=True)
    for name, text in lists.items():
        (folder / f"modules.{name}").write_text(text)


def zram(root: Path, value: str) -> Offer:
    host = RootfsHost(root)
    (offer,) = offers(host, audit(host), names=["zram"], wishes={"zram": Wish(value=value)})
    return offer


def test_an_algorithm_that_the_image_lacks_is_refused(root: Path) -> None:
    kernel(root, builtin=BUILT_IN, dep=LOADABLE)
    for value in ("2GiB", "2GiB,lzo", "2GiB,lz4"):
        offer = zram(root, value)
        assert offer.applies
        assert "could not be checked" not in offer.effect.cost
    assert zram(root, "2GiB,zstd").effect.reason == (
        f"the kernel of this image ({L4T}) has no zstd, so a boot would make no compressed swap; "
        "it has lz4, lzo, lzo-rle"
    )
    assert not zram(root, "2GiB,lz4hc").applies  # what another needs is not there by that


def test_what_cannot_be_checked_is_said(root: Path) -> None:
    assert "whether the kernel of this image has lz4 could not be checked" in zram(root, "2GiB,lz4").effect.cost
    kernel(root, dep=LOADABLE)
    assert f"whether {L4T} has zstd could not be checked" in zram(root, "2GiB,zstd").effect.cost
    live: dict[str, str | bytes] = {"/usr/lib/systemd/system/nvzramconfig.service": b"[Unit]\n"}
    (offer,) = offers(*machine(live), names=["zram"], wishes={"zram": Wish(value="2GiB,lz4")})
    assert "whether this kernel, which says it once zram is loaded, has lz4 could not be checked" in offer.effect.cost


def test_a_configuration_tells_where_lists_do_not(root: Path) -> None:
    kernel(root, NEW, builtin=BUILT_IN, dep=LOADABLE)
    assert f"whether {NEW} has lzo-rle could not be checked" in zram(root, "2GiB").effect.cost
    (root / "boot").mkdir()
    path = root / "boot" / f"config-{NEW}"
    path.write_text("CONFIG_CRYPTO_ZSTD=y\nCONFIG_ZRAM_BACKEND_LZO=y\n# CONFIG_ZRAM_BACKEND_LZ4 is not set\n")
    assert "could not be checked" not in zram(root, "2GiB").effect.cost
    assert not zram(root, "2GiB,zstd").applies
    (only,) = read_kernels(RootfsHost(root))
    assert only.has == {"lzo", "lzo-rle"}
    kernel(root)
    (root / "boot" / f"config-{L4T}").write_text("CONFIG_CRYPTO_ZSTD=m\n")
    offer = zram(root, "2GiB,zstd")
    assert offer.applies
    assert f"{NEW} has no zstd: without it a boot makes no compressed swap" in offer.effect.cost
