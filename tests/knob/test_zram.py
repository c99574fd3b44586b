from __future__ import annotations

import msgspec
import pytest

from memfit.device.audit_records import Audit, Swap
from memfit.host.snapshot import SnapshotHost
from memfit.knob import Offer, offers
from memfit.knob.changes import LinkChange
from memfit.units import GIB, MIB
from whole_machine import machine

UNIT = {"/usr/lib/systemd/system/nvzramconfig.service": b"[Unit]\n"}
SIZE = 3 * GIB


def with_zram(stored: int, cost: int, files: dict[str, bytes] | None = None) -> tuple[SnapshotHost, Audit]:
    host, known = machine(UNIT if files is None else files)
    sizes = {"original_bytes": stored, "compressed_bytes": cost, "cost_bytes": cost}
    swap = Swap(name="/dev/zram0", kind="zram", size_bytes=SIZE, used_bytes=stored, **sizes)
    return host, msgspec.structs.replace(known, swaps=(swap,))


def zram(stored: int, cost: int, files: dict[str, bytes] | None = None) -> Offer:
    (offer,) = offers(*with_zram(stored, cost, files), names=["zram"])
    return offer


def test_where_nothing_lies_in_it_its_tables_are_what_it_costs() -> None:
    offer = zram(0, 48 << 10)
    table = SIZE // 4096 * 19
    assert offer.effect.gain.likely_bytes == (48 << 10) + table
    assert offer.effect.gain.low_bytes == 48 << 10
    assert offer.effect.when == "reboot"
    assert offer.changes == (
        LinkChange(
            path="/etc/systemd/system/nvzramconfig.service",
            target="/dev/null",
            why="boot without swap in compressed memory",
        ),
    )


def test_where_it_compresses_well_it_stays() -> None:
    offer = zram(300 * MIB, 100 * MIB)
    assert not offer.effect.applies
    assert "(3.0 : 1)" in offer.effect.reason
    # as the recorded desktop has it
    host, known = machine(UNIT)
    assert "gives more than it takes" in offers(host, known, names=["zram"])[0].effect.reason


def test_where_it_compresses_badly_what_lies_in_it_goes_to_memory() -> None:
    offer = zram(40 * MIB, 36 * MIB)
    assert offer.effect.gain.likely_bytes == SIZE // 4096 * 19 - 4 * MIB
    assert offer.effect.gain.low_bytes == -4 * MIB
    much = zram(400 * MIB, 300 * MIB)
    assert "no more room" in much.effect.reason


def test_it_is_left_where_memory_could_not_hold_what_lies_in_it() -> None:
    host, known = with_zram(400 * MIB, 390 * MIB)
    short = msgspec.structs.replace(known, available_bytes=700 * MIB)
    (offer,) = offers(host, short, names=["zram"])
    assert "hardly room" in offer.effect.reason


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"/etc/systemd/zram-generator.conf": b"[zram0]\n"}, "zram-generator.conf sets it up"),
        ({"/etc/systemd/system/nvzramconfig.service": b"[Unit]\n"}, "no unit sets it up"),
        ({}, "no unit sets it up"),
    ],
)
def test_what_no_mask_ends_is_left(files: dict[str, bytes], reason: str) -> None:
    assert reason in zram(0, 4096, files).effect.reason


def test_what_was_not_measured_is_not_offered() -> None:
    host, known = machine(UNIT, name="orin-nano-8gb-headless")
    assert "was not measured" in offers(host, known, names=["zram"])[0].effect.reason
    image, of_image = machine(UNIT, live=False)
    assert not offers(image, of_image, names=["zram"])[0].effect.applies
