"""The pool of contiguous memory: never below what the GPU needs, and never unasked where it has one."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from memfit.host.snapshot import SnapshotHost
from memfit.knob import Offer, Wish, offers
from memfit.knob import _extlinux as extlinux
from memfit.knob._command_words import changed, proven
from memfit.knob.knobs.cma import after
from memfit.units import KIB, MIB
from whole_machine import machine

STOCK = "DEFAULT primary\nLABEL primary\n  LINUX /boot/Image\n  APPEND ${cbootargs} ro\n"
DEBUG = "/sys/kernel/debug/cma"


def offered(
    files: dict[str, str | bytes] | None = None,
    without: tuple[str, ...] = (),
    *,
    total: int = 256 * MIB,
    free: int = 200 * MIB,
    signed: bool = False,
    **fields: Any,
) -> Offer:
    host, known = machine(without=without, files={extlinux.PATH: STOCK, **(files or {})})
    host = _sized(host, total, free)
    boot = msgspec.structs.replace(known.boot, secure_boot=signed)
    (offer,) = offers(host, msgspec.structs.replace(known, boot=boot, **fields), names=["cma"])
    return offer


def _sized(host: SnapshotHost, total: int, free: int) -> SnapshotHost:
    held = host.snapshot
    lines = held.files["/proc/meminfo"].decode().splitlines()
    lines = [line for line in lines if not line.startswith("Cma")]
    lines += [f"CmaTotal: {total // KIB} kB", f"CmaFree: {free // KIB} kB"] if total else []
    return SnapshotHost(msgspec.structs.replace(held, files={**held.files, "/proc/meminfo": "\n".join(lines).encode()}))


def counted(used: int, size: int = 256 * MIB) -> dict[str, str | bytes]:
    folder = f"{DEBUG}/linux,cma"
    return {
        f"{folder}/count": f"{size // 4096}\n",
        f"{folder}/used": f"{used // 4096}\n",
        f"{folder}/order_per_bit": "0\n",
    }


def test_whether_the_command_line_takes_it_is_asked_of_the_size_that_was_asked_for() -> None:
    host, known = machine(files={extlinux.PATH: STOCK, **counted(20 * MIB)})
    host = _sized(host, 256 * MIB, 200 * MIB)
    rest = 2047 - len(proven(changed("a", {"cma": "64M"}))) + 1
    boot = msgspec.structs.replace(known.boot, command_line="a" * rest, secure_boot=False)
    known = msgspec.structs.replace(known, boot=boot)
    assert offers(host, known, names=["cma"])[0].words == {"cma": "64M"}
    (larger,) = offers(host, known, names=["cma"], wishes={"cma": Wish(value="128MiB")})
    assert larger.effect.reason == "it would be longer than 2047 characters"
    assert not larger.words


def test_a_gpu_keeps_its_share_and_somebody_has_to_ask() -> None:
    offer = offered(counted(20 * MIB))
    assert offer.applies
    effect = offer.effect
    # MemTotal/256 of 8 GB is some 30 MiB, more than drivers hold
    assert offer.words == {"cma": "64M"}
    assert (effect.risk, effect.when) == ("high", "reboot")
    assert effect.gain.low_bytes == effect.gain.likely_bytes == effect.gain.high_bytes == 0
    assert effect.gain.cuda_bytes == 192 * MIB
    assert "MemTotal and MemAvailable do not change" in effect.gain.evidence
    assert "CUDA can allocate 192.0 MiB more" in effect.gain.evidence
    assert "it does not start" in effect.cost
    assert "TensorRT" in effect.cost
    assert "safe" not in effect.cost
    assert offer.saves  # though MemAvailable stays: it is CUDA's


def test_only_what_is_free_of_it_is_won() -> None:
    assert offered(counted(20 * MIB), free=50 * MIB).effect.gain.cuda_bytes == 50 * MIB
    full = offered(counted(20 * MIB), free=0)
    assert not full.applies
    assert full.effect.reason == "nothing of it is free: it would win nothing"


def test_what_drivers_hold_counts_where_it_is_more() -> None:
    assert offered(counted(100 * MIB)).words == {"cma": "132M"}
    assert not offered(counted(230 * MIB)).applies


def test_without_debugfs_all_that_is_not_free_may_be_theirs() -> None:
    hidden = tuple(f"{DEBUG}/linux,cma/{name}" for name in ("count", "used", "order_per_bit"))
    offer = offered(without=hidden, free=156 * MIB)
    assert offer.words == {"cma": "132M"}
    assert "100.0 MiB needed at most" in offer.effect.gain.evidence


def test_a_pool_that_is_too_small_already() -> None:
    line = "cma: cma_alloc: linux,cma: alloc failed, req-size: 62864 pages, ret: -12\n"
    log = "Linux version 5.15\nMemory: 7525864K/8133248K available (1K reserved, 262144K cma-reserved)\n"
    offer = offered({**counted(20 * MIB), "/var/log/dmesg": log + line, "/dev/kmsg": ""})
    assert "too small already" in offer.effect.reason


def test_other_machines_win_nothing_and_risk_little() -> None:
    offer = offered(counted(0), compatible=("raspberrypi,5-model-b",), l4t=None)
    assert offer.applies
    assert not offer.saves
    assert offer.effect.risk == "low"
    assert offer.effect.gain.cuda_bytes is None
    thor = offered(counted(0), compatible=("nvidia,p3834", "nvidia,tegra264"))
    assert thor.effect.risk == "low"


def test_there_is_no_pool_or_no_place_for_it() -> None:
    assert offered(total=0, free=0).effect.reason == "not on this machine"
    large = offered(counted(1100 * MIB, 2048 * MIB), total=2048 * MIB, free=900 * MIB)
    assert "below 4 GiB" in large.effect.reason
    assert "Secure Boot" in offered(counted(20 * MIB), signed=True).effect.reason


@given(st.integers(0, 1 << 33))
def test_a_margin_in_whole_steps(needed: int) -> None:
    size = after(needed)
    assert size % (4 * MIB) == 0
    assert needed + 32 * MIB <= size < needed + 36 * MIB
