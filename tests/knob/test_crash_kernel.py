"""Memory that is kept for a crash kernel: given back at once, and not taken again."""

from __future__ import annotations

from typing import Any

import msgspec

from memfit.device.audit_records import DramTerm
from memfit.knob import Offer, offers
from memfit.knob import _extlinux as extlinux
from memfit.knob.changes import ValueChange
from memfit.knob.combine import changes_of
from memfit.units import MIB
from whole_machine import machine

STOCK = "DEFAULT primary\nLABEL primary\n  LINUX /boot/Image\n  APPEND ${cbootargs} ro crashkernel=750M\n"
SIZE, LOADED = "/sys/kernel/kexec_crash_size", "/sys/kernel/kexec_crash_loaded"
LINE = "root=/dev/a ro crashkernel=750M"


def offered(
    size: int = 750 * MIB,
    *,
    loaded: str | None = "0",
    line: str = LINE,
    files: dict[str, Any] | None = None,
    **fields: Any,
) -> Offer:
    kept: dict[str, str | bytes] = {extlinux.PATH: STOCK, SIZE: f"{size}\n", **(files or {})}
    if loaded is not None:
        kept[LOADED] = f"{loaded}\n"
    host, known = machine(kept, without=(SIZE,) if loaded is None else ())
    boot = msgspec.structs.replace(known.boot, **{"secure_boot": False, "command_line": line, **fields})
    terms = tuple(term for term in known.terms if term.name != "crashkernel")
    if size:
        terms = (*terms, DramTerm(name="crashkernel", layer="boot", bytes=size, source="measured"))
    (offer,) = offers(host, msgspec.structs.replace(known, boot=boot, terms=terms), names=["crash_kernel"])
    return offer


def test_it_is_given_back_now_and_not_taken_again() -> None:
    offer = offered()
    assert offer.saves
    gain = offer.effect.gain
    assert gain.low_bytes == gain.likely_bytes == gain.high_bytes == 750 * MIB
    assert offer.effect.when == "live"
    assert offer.words == {"crashkernel": None}
    (change,) = offer.changes
    assert isinstance(change, ValueChange)
    assert (change.path, change.text) == (SIZE, "0")
    assert "undo takes it again at the next boot" in offer.effect.cost


def test_a_crash_kernel_that_is_loaded_keeps_it_until_the_next_boot() -> None:
    offer = offered(loaded="1")
    assert offer.changes == ()
    assert offer.words == {"crashkernel": None}
    assert offer.effect.when == "reboot"
    assert "a crash kernel is loaded" in offer.effect.gain.evidence


def test_where_the_command_line_stays_it_comes_back() -> None:
    offer = offered(secure_boot=True)
    assert offer.applies
    assert offer.words == {}
    assert len(offer.changes) == 1
    assert "taken again at the next boot: Secure Boot is on" in offer.effect.cost
    nothing = offered(loaded="1", secure_boot=True)
    assert not nothing.applies
    assert nothing.effect.reason.startswith("a crash kernel is loaded; Secure Boot is on")


def test_what_firmware_asks_for_stays_on_the_command_line() -> None:
    offer = offered(line="ro crashkernel=1G")
    assert offer.words == {}
    assert "crashkernel=1G comes from firmware" in offer.effect.cost


def test_nothing_is_kept() -> None:
    assert offered(0, line="ro").effect.reason == "not on this machine"
    asked = offered(0)
    assert not asked.applies
    assert "kept nothing" in asked.effect.reason


def test_a_kernel_that_cannot_shrink_it() -> None:
    offer = offered(loaded=None)
    assert offer.changes == ()
    assert offer.effect.when == "reboot"
    assert "the boot log" in offer.effect.gain.evidence
    stuck = offered(loaded=None, line="ro")
    assert not stuck.applies
    assert stuck.effect.reason == "it cannot be shrunk"


def test_words_of_several_knobs_are_one_label() -> None:
    memory = machine()[0].read_bytes("/proc/meminfo") + b"CmaFree: 200000 kB\n"
    host, known = machine({extlinux.PATH: STOCK, SIZE: f"{750 * MIB}\n", LOADED: "0\n", "/proc/meminfo": memory})
    boot = msgspec.structs.replace(known.boot, secure_boot=False, command_line=LINE)
    terms = (*known.terms, DramTerm(name="crashkernel", layer="boot", bytes=750 * MIB, source="measured"))
    known = msgspec.structs.replace(known, boot=boot, terms=terms)
    chosen = offers(host, known, names=["crash_kernel", "swiotlb", "cma"])
    changes = changes_of(host, known, chosen)
    written = [change for change in changes if getattr(change, "path", "") == extlinux.PATH]
    assert len(written) == 1
    label = extlinux.default_label(extlinux.check(written[0].content))  # type: ignore[union-attr]
    words = label.value("APPEND").split()
    assert words[:2] == ["${cbootargs}", "ro"]
    assert [word.partition("=")[0] for word in words[2:]] == ["cma", "swiotlb", "memfit.boot"]
