"""Swap on NVMe: where it is offered, and what it is made of."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from memfit.device.audit_records import Storage, Swap
from memfit.knob import Offer, Wish, offers
from memfit.knob.changes import FileChange, LinkChange, RunChange, SpaceChange
from memfit.units import GIB, MIB
from whole_machine import machine

SYSTEM = "/etc/systemd/system"


def swap_file(
    value: str = "", *, kind: str = "nvme", system: str = "ext4", free: int = 100 * GIB, **fields: Any
) -> Offer:
    host, known = machine({"/proc/mounts": f"/dev/x / {system} rw 0 0\n"})
    disk = Storage(mount="/", device="/dev/x", kind=kind, total_bytes=200 * GIB, free_bytes=free)
    known = msgspec.structs.replace(known, **{"storage": (disk,), "swaps": (), **fields})
    (offer,) = offers(host, known, names=["swap_file"], wishes={"swap_file": Wish(value=value)})
    return offer


def test_the_file_its_use_and_a_unit_for_every_boot() -> None:
    unit, link, space, make, use = swap_file("4GiB").changes
    assert isinstance(unit, FileChange)
    assert unit.path == f"{SYSTEM}/swap.memfit.swap"
    assert b"[Swap]\nWhat=/swap.memfit\n" in unit.content
    assert isinstance(link, LinkChange)
    assert (link.path, link.target) == (f"{SYSTEM}/swap.target.wants/swap.memfit.swap", "../swap.memfit.swap")
    assert isinstance(space, SpaceChange)
    assert (space.path, space.bytes) == ("/swap.memfit", 4 * GIB)
    assert isinstance(make, RunChange)
    assert make.do == ("mkswap", "/swap.memfit")
    assert isinstance(use, RunChange)
    assert (use.do, use.undo, use.lasting) == (("swapon", "/swap.memfit"), ("swapoff", "/swap.memfit"), True)


def test_it_gives_nothing_now_and_at_best_what_idles() -> None:
    _, known = machine()
    awake = ("inference", "ssh", "memfit")
    idle = sum(row.anonymous_bytes for row in known.processes if row.role not in awake)
    gain = swap_file().effect.gain
    assert (gain.low_bytes, gain.likely_bytes, gain.high_bytes) == (0, 0, idle)
    assert "gnome-shell" in gain.evidence
    assert swap_file("64MiB").effect.gain.high_bytes == 64 * MIB
    rows = tuple(msgspec.structs.replace(row, role="inference") for row in known.processes)
    assert swap_file(processes=rows).effect.gain.high_bytes == 0
    assert not swap_file().saves
    assert swap_file().effect.when == "live"


def test_its_size_is_twice_what_idles_in_whole_gib() -> None:
    _, known = machine()
    rows = tuple(msgspec.structs.replace(row, anonymous_bytes=0) for row in known.processes)
    rows = (msgspec.structs.replace(rows[0], anonymous_bytes=3 * GIB // 2 + 1, role=""), *rows[1:])
    (space,) = [one for one in swap_file(processes=rows).changes if isinstance(one, SpaceChange)]
    assert space.bytes == 4 * GIB


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "emmc"}, "/ is on eMMC, which swapping wears out"),
        ({"kind": "sd"}, "an SD card"),
        ({"kind": "usb"}, "a USB stick"),
        ({"kind": "network"}, "on the network"),
        ({"kind": "sata"}, "not known to be on an NVMe drive (sata)"),
        ({"system": "btrfs"}, "/ is btrfs"),
        ({"system": "overlay"}, "/ is overlay"),
        ({"system": "f2fs"}, "ext4 and xfs alone"),
        ({"free": 12 * GIB, "value": "4GiB"}, "would leave less than 10.00 GiB"),
        ({"swaps": (Swap(name="/swapfile", kind="file", size_bytes=GIB, used_bytes=0),)}, "already: /swapfile"),
    ],
)
def test_where_it_is_not_offered(fields: dict[str, Any], said: str) -> None:
    offer = swap_file(**fields)
    assert not offer.applies
    assert said in offer.effect.reason


def test_beside_compressed_swap_it_comes_second() -> None:
    zram = Swap(name="/dev/zram0", kind="zram", size_bytes=GIB, used_bytes=0)
    assert "once compressed swap is full" in swap_file(swaps=(zram,)).effect.gain.evidence
