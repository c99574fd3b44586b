"""Knobs that take a value: what it may be, what it makes of them, and what of it is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from memfit.apply import choose
from memfit.errors import UnknownName, UsageError
from memfit.host import Disk
from memfit.knob import Offer, Wish, offers
from memfit.knob import _extlinux as extlinux
from memfit.knob.changes import FileChange, RunChange
from memfit.knob.knobs import KNOBS
from memfit.knob.offers import as_row
from memfit.units import KIB, MIB
from whole_machine import machine, whole_machine

VM = "/proc/sys/vm"
STOCK = "DEFAULT primary\nLABEL primary\n  LINUX /boot/Image\n  APPEND ${cbootargs} ro\n"
TAKING = [key for key, knob in KNOBS.items() if knob.takes]


def asked(knob: str, value: str, files: dict[str, str | bytes] | None = None, **more: Any) -> Offer:
    host, known = whole_machine() if files is None else machine(files, **more)
    boot = msgspec.structs.replace(known.boot, secure_boot=False)
    known = msgspec.structs.replace(known, boot=boot)
    (offer,) = offers(host, known, names=[knob], wishes={knob: Wish(value=value)})
    assert offer.value == value
    return offer


def refused(knob: str, value: str, files: dict[str, str | bytes] | None = None, **more: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        asked(knob, value, files, **more)
    return caught.value


@pytest.mark.parametrize("name", TAKING)
def test_what_it_takes_is_said_and_nonsense_is_refused(name: str) -> None:
    host, known = whole_machine()
    knob = KNOBS.get(name)
    assert knob.at is not None
    assert as_row(offers(host, known, names=[name])[0]).takes == knob.takes
    for value in ("?", "-1", "1e3", "٣", "99999999999999999999", "4G", "0"):
        state = knob.read(host, known)
        if state is not None and (name, value) != ("swappiness", "0"):
            with pytest.raises(UsageError) as caught:
                knob.at(state, Wish(value=value))
            assert caught.value.hint, value
            assert value in caught.value.message or "power mode" in caught.value.message, value


def test_a_knob_that_takes_none_says_so() -> None:
    assert refused("cups", "off").message == "cups takes no value: 'off'"
    assert offers(*whole_machine(), names=["cups"], wishes={"cups": Wish()})[0].called == "cups"


def test_aliases_have_the_same_value() -> None:
    host, known = whole_machine()
    (offer,) = offers(host, known, names=["nvpmodel"], wishes={"maxn": Wish(value="15w")})
    assert offer.called == "power_mode=15w"


def test_a_power_mode_by_its_name() -> None:
    offer = asked("power_mode", "15w")
    (run,) = offer.changes
    assert isinstance(run, RunChange)
    assert (run.do, run.undo) == (("nvpmodel", "-m", "0"), ("nvpmodel", "-m", "1"))
    assert "less speed" in offer.effect.cost
    assert asked("power_mode", "25W").effect.reason == "it is 25W"
    assert "MAXN_SUPER" in str(refused("power_mode", "MAXN_SUPR").hint)
    with pytest.raises(UnknownName):
        asked("power_mode", "2")  # an id means another mode on another board


def test_swappiness_either_way() -> None:
    more = asked("swappiness", "150")
    assert more.settings == {f"{VM}/swappiness": "150"}
    assert "wake more slowly" in more.effect.cost
    less = asked("swappiness", "10")
    assert less.settings == {f"{VM}/swappiness": "10"}
    assert "read from the disk" in less.effect.cost
    assert asked("swappiness", "60").effect.reason == "it is 60"
    on_disk: dict[str, str | bytes] = {
        f"{VM}/swappiness": "60\n",
        "/proc/swaps": "Filename Type Size Used Priority\n/swapfile file 4194304 0 -2\n",
    }
    assert asked("swappiness", "10", on_disk).applies
    assert "0 (files first) to 200" in str(refused("swappiness", "201").hint)


def test_memory_kept_free_is_risky_below_the_kernels_own() -> None:
    files: dict[str, str | bytes] = {f"{VM}/min_free_kbytes": "45056\n"}
    more = asked("min_free", "64MiB", files)
    assert more.settings == {f"{VM}/min_free_kbytes": str(64 * KIB)}
    assert more.effect.risk == "low"
    assert more.effect.gain.likely_bytes < 0
    less = asked("min_free", "16MiB", files)
    assert less.effect.risk == "low"  # the kernel's own would be 11 MiB
    assert less.effect.gain.low_bytes >= (44 - 16) * MIB
    assert asked("min_free", "8MiB", files).effect.risk == "high"
    with pytest.raises(UsageError, match="min_free=8MiB"):
        choose([asked("min_free", "8MiB", files)], ["min_free"], risk=False)
    assert "already" in asked("min_free", "44MiB", files).effect.reason
    assert "a twentieth of memory" in refused("min_free", "1GiB", files).message


def slabs(value: str) -> Offer:
    files: dict[str, str | bytes] = {
        extlinux.PATH: STOCK,
        "/sys/kernel/debug/swiotlb/io_tlb_nslabs": "32768\n",
        "/sys/kernel/debug/swiotlb/io_tlb_used": "0\n",
        "/sys/kernel/debug/swiotlb/io_tlb_used_hiwater": "0\n",
    }
    return asked("swiotlb", value, files)


def test_bounce_buffers_by_slabs_or_by_size() -> None:
    assert slabs("2048").words == slabs("4MiB").words == {"swiotlb": "2048"}
    assert slabs("4096").effect.gain.likely_bytes == 56 * MIB
    assert slabs("4096").effect.risk == "low"
    few = slabs("1MiB")
    assert (few.words, few.effect.risk) == ({"swiotlb": "512"}, "high")
    assert slabs("3000").words == {"swiotlb": "4096"}  # as the kernel would make of it
    assert slabs("1").words == {"swiotlb": "128"}  # one segment
    assert slabs("2048").bold == slabs("2048")  # --risk makes no other value of one that was asked for
    large = slabs("128MiB")
    assert large.effect.gain.high_bytes < 0
    assert large.applies
    with pytest.raises(UsageError):
        slabs("4GiB")


def test_the_pool_is_never_smaller_than_what_is_needed() -> None:
    host, _ = machine({extlinux.PATH: STOCK})
    held = host.snapshot
    text = held.files["/proc/meminfo"].decode()
    lines = [line for line in text.splitlines() if not line.startswith("Cma")]
    memory = "\n".join([*lines, f"CmaTotal: {256 * KIB} kB", f"CmaFree: {200 * KIB} kB"])

    def pool(value: str) -> Offer:
        return asked("cma", value, {extlinux.PATH: STOCK, "/proc/meminfo": memory})

    assert pool("126MiB").words == {"cma": "128M"}
    assert pool("126MiB").effect.gain.cuda_bytes == 128 * MIB
    assert as_row(pool("126MiB")).cuda_bytes == 128 * MIB
    assert "32.0 MiB are less than" in pool("32MiB").effect.reason
    larger = pool("512MiB")
    assert (larger.effect.gain.cuda_bytes, larger.effect.risk) == (-256 * MIB, "low")
    assert "below 4 GiB" in pool("1GiB").effect.reason


def test_a_cap_and_a_bound_of_ones_own() -> None:
    cap = asked("journald", "4MiB")
    (file,) = cap.changes
    assert isinstance(file, FileChange)
    assert b"RuntimeMaxUse=4M\n" in file.content
    assert cap.effect.gain.likely_bytes == 36 * MIB
    bound = asked("tmpfs", "256MiB")
    file, run = bound.changes
    assert isinstance(run, RunChange)
    assert f"remount,size={256 * MIB}" in run.do
    mounts = {"/proc/mounts": "/dev/nvme0n1p1 / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n"}
    full = {"/tmp": Disk(total_bytes=4000 * MIB, free_bytes=3000 * MIB)}
    few = asked("tmpfs", "512MiB", {**mounts}, disks=full)
    assert few.effect.reason == "its files take 1000.0 MiB already"


def test_huge_pages_for_whom() -> None:
    path = "/sys/kernel/mm/transparent_hugepage/enabled"
    never = asked("huge_pages", "never")
    assert never.settings == {path: "never"}
    assert "also those that ask" in never.effect.cost
    always = asked("huge_pages", "always", {path: "always [madvise] never\n"})
    assert always.settings == {path: "always"}
    assert (always.effect.gain.high_bytes, always.effect.when) == (0, "live")
    assert asked("huge_pages", "never", {path: "always madvise [never]\n"}).effect.reason == "it is never"
    with pytest.raises(UsageError, match="it is no value"):
        asked("huge_pages", "sometimes")
