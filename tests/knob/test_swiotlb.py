"""Bounce buffers of the size that this device needs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.device.audit_records import Audit
from memfit.host.snapshot import SnapshotHost
from memfit.knob import Offer, Wish, offers
from memfit.knob import _extlinux as extlinux
from memfit.knob.knobs.swiotlb import slabs
from memfit.units import MIB
from whole_machine import machine

STOCK = "DEFAULT primary\nLABEL primary\n  LINUX /boot/Image\n  APPEND ${cbootargs} ro\n"
DEBUG = "/sys/kernel/debug/swiotlb"


def offered(files: dict[str, str | bytes] | None = None, without: tuple[str, ...] = (), **fields: Any) -> Offer:
    host, known = _machine({extlinux.PATH: STOCK, **(files or {})}, without, **fields)
    (offer,) = offers(host, known, names=["swiotlb"])
    return offer


def _machine(files: dict[str, str | bytes], without: tuple[str, ...] = (), **fields: Any) -> tuple[SnapshotHost, Audit]:
    host, known = machine(files, without=without)
    boot = msgspec.structs.replace(known.boot, **{"secure_boot": False, **fields.pop("boot", {})})
    return host, msgspec.structs.replace(known, boot=boot, **fields)


def slabs_in_use(used: int | None, most: int | None = None, size: int = 32768) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {f"{DEBUG}/io_tlb_nslabs": f"{size}\n"}
    if used is not None:
        files[f"{DEBUG}/io_tlb_used"] = f"{used}\n"
    if most is not None:
        files[f"{DEBUG}/io_tlb_used_hiwater"] = f"{most}\n"
    return files


def test_four_mib_are_enough_where_nothing_bounces() -> None:
    offer = offered(slabs_in_use(0, 0))
    assert offer.saves
    assert offer.words == {"swiotlb": "2048"}
    assert offer.changes == ()
    effect = offer.effect
    assert (effect.when, effect.risk) == ("reboot", "low")
    assert effect.gain.low_bytes == effect.gain.likely_bytes == 60 * MIB
    assert effect.gain.high_bytes == 60 * MIB + 30720 * 24
    assert "64.0 MiB" in effect.gain.evidence
    assert "swiotlb buffer is full" in effect.cost


@pytest.mark.parametrize(
    ("used", "most", "value"),
    [(100, 900, "2048"), (1100, None, "4096"), (100, 2000, "4096"), (0, 5000, "16384"), (7000, 9000, None)],
)
def test_twice_what_was_used_at_most(used: int, most: int | None, value: str | None) -> None:
    offer = offered(slabs_in_use(used, most))
    assert offer.words.get("swiotlb") == value
    if value is None:
        assert "already" in offer.effect.reason
        return
    assert offer.effect.gain.likely_bytes == 64 * MIB - int(value) * 2048
    assert offer.bolder is None


def test_what_nobody_could_count_is_said() -> None:
    without = tuple(f"{DEBUG}/{name}" for name in ("io_tlb_nslabs", "io_tlb_used"))
    offer = offered(without=without)
    assert offer.words == {"swiotlb": "2048"}
    assert "their use is not known" in offer.effect.gain.evidence
    assert offer.bolder is None
    assert "no record of the most it used" in offered(slabs_in_use(0)).effect.cost
    assert "no record" not in offered(slabs_in_use(0, 0)).effect.cost


def test_none_at_all_is_a_second_value_with_a_risk() -> None:
    offer = offered(slabs_in_use(0, 0))
    assert offer.bolder is not None
    bold = offer.bold
    assert bold.words == {"swiotlb": "noforce"}
    assert bold.effect.risk == "high"
    assert bold.effect.gain.likely_bytes == 64 * MIB
    assert "does not work" in bold.effect.cost
    assert bold.bold == bold
    assert offered(slabs_in_use(1, 1)).bolder is None
    asked = msgspec.structs.replace(offer, wish=Wish(value="16MiB"))
    assert asked.bold == asked  # nobody gets another value than the one that was asked for


def test_nothing_is_to_be_done() -> None:
    small = offered(slabs_in_use(0, 0, size=2048))
    assert not small.applies
    assert "4.0 MiB already" in small.effect.reason
    forced = offered(slabs_in_use(0, 0), boot={"command_line": "swiotlb=65536,force"})
    assert "swiotlb=force" in forced.effect.reason
    full = offered({**slabs_in_use(0, 0), "/dev/kmsg": "6,1,1,-;usb: swiotlb buffer is full (sz: 4096 bytes)\n"})
    assert "too few already" in full.effect.reason
    signed = offered(slabs_in_use(0, 0), boot={"secure_boot": True})
    assert "Secure Boot" in signed.effect.reason
    assert signed.words == {}


def test_other_machines_keep_theirs() -> None:
    pc = offered(slabs_in_use(0, 0), compatible=(), l4t=None)
    assert "no IOMMU" in pc.effect.reason
    virtual: dict[str, Any] = {"compatible": ("linux,dummy-virt",), "l4t": None}
    assert offered(slabs_in_use(0, 0), **virtual).applies
    assert not offered(slabs_in_use(3, 3), **virtual).applies
    unseen = tuple(f"{DEBUG}/{name}" for name in ("io_tlb_nslabs", "io_tlb_used"))
    assert not offered(without=unseen, **virtual).applies


def test_there_are_none() -> None:
    host, known = machine({})
    terms = tuple(term for term in known.terms if term.name != "swiotlb")
    (offer,) = offers(host, msgspec.structs.replace(known, terms=terms), names=["bounce_buffers"])
    assert offer.effect.reason == "not on this machine"


@given(st.integers(0, 1 << 30), st.integers(1, 256))
def test_never_fewer_than_needed(needed: int, cpus: int) -> None:
    count = slabs(needed, cpus)
    assert count & (count - 1) == 0
    assert count >= 2048
    assert count * 2048 >= 2 * needed
    assert count >= 128 * cpus
