"""Knobs that take a boot, on a machine that boots with what a board boots with: what each said, and what it gave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from launcher import CONFIGURATION
from machine import NAME, Machine
from test_knobs_booted import files, look, place, settle

from memfit.agent.machine import AVAILABLE
from memfit.apply import apply, status, undo
from memfit.apply.place import ask
from memfit.knob import Offer, offers
from memfit.knob.combine import changes_of
from memfit.units import MIB

if TYPE_CHECKING:
    from image import Image

pytestmark = pytest.mark.vm
# a crash kernel's memory, CMA as on an Orin NX, and no huge pages: what they round up differs from boot to boot
WORDS = "crashkernel=128M cma=256M transparent_hugepage=never"
COUNTED = ("MemTotal", "MemAvailable", "CmaTotal", "CmaFree")
# what two boots of the same machine may differ by: 0.5 MiB were seen
NOISE_BYTES = 4 * MIB


@pytest.fixture(scope="module")
def machine(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Above 4 GiB the kernel keeps bounce buffers; swap in compressed memory is made as L4T makes it."""
    made = Machine(tmp_path_factory.mktemp("over-a-boot") / "machine", image, memory_bytes=4096 * MIB)
    made.boot()
    made.ssh(f"sed -i 's/^ *APPEND .*/& {WORDS}/' {CONFIGURATION}; systemctl enable nvzramconfig")
    made.reboot()
    assert WORDS in made.ssh("cat /proc/cmdline")
    yield made
    made.stop()


def memory(machine: Machine) -> dict[str, int]:
    """What counts of meminfo once the boot has come to rest; what is available with what waits in the CPUs' lists."""
    settle(machine)
    found: dict[str, int] = ask(place(machine), {"action": "measure"})["memory"]
    return {**{name: found[name] for name in COUNTED}, "MemAvailable": sum(found[name] for name in AVAILABLE)}


def try_out(machine: Machine, name: str) -> tuple[Offer, dict[str, int], int]:
    """One knob over a boot and back; how much more there was of each, and what it gave at once."""
    before, before_files = memory(machine), files(machine)
    host, found = look(machine)
    (offer,) = (one for one in offers(host, found, names=[name]) if one.applies)
    receipt = apply(place(machine), NAME, [offer], changes_of(host, found, [offer]))
    machine.reboot()
    if offer.words:
        machine.ssh("systemctl start --wait memfit-confirm.service || true", timeout_s=600)
        trial = status(place(machine), NAME).receipts[-1].boot
        assert trial is not None
        assert (trial.state, trial.reasons) == ("confirmed", ())
    after = memory(machine)
    undo(place(machine), NAME, receipt.id)
    machine.reboot()
    assert files(machine) == before_files
    again = memory(machine)
    assert again["MemTotal"] == before["MemTotal"]
    # of two boots without it the mean: what differs between them is nobody's gain
    gains = {key: after[key] - (before[key] + again[key]) // 2 for key in COUNTED}
    told = ", ".join(f"{key} {size / MIB:+.2f}" for key, size in gains.items())
    gain = offer.effect.gain
    said = " to ".join(f"{size / MIB:.2f}" for size in (gain.low_bytes, gain.likely_bytes, gain.high_bytes))
    apart = (again["MemAvailable"] - before["MemAvailable"]) / MIB
    print(f"\n{name}: {said} MiB said; {told}; two boots without it differ by {apart:+.2f}; {gain.evidence}")
    return offer, gains, receipt.measured_bytes or 0


def test_bounce_buffers(machine: Machine) -> None:
    offer, gains, _ = try_out(machine, "swiotlb")
    said = offer.effect.gain
    assert said.low_bytes <= gains["MemTotal"] <= said.high_bytes
    assert abs(gains["MemAvailable"] - said.likely_bytes) <= NOISE_BYTES


def test_memory_of_a_crash_kernel(machine: Machine) -> None:
    """Given back at once, and not taken again at the boot."""
    offer, gains, at_once = try_out(machine, "crash_kernel")
    said = offer.effect.gain.likely_bytes
    print(f"at once: {at_once / MIB:.2f}")
    assert said == 128 * MIB
    assert abs(at_once - said) <= NOISE_BYTES
    assert abs(gains["MemTotal"] - said) <= MIB
    assert abs(gains["MemAvailable"] - said) <= NOISE_BYTES


def test_swap_in_compressed_memory(machine: Machine) -> None:
    """Its tables, in the upper half of what was said: Debian's kernel notes when each page was last touched."""
    offer, gains, _ = try_out(machine, "zram")
    assert gains["MemTotal"] == 0
    assert abs(gains["MemAvailable"] - offer.effect.gain.high_bytes) <= NOISE_BYTES // 2


def test_a_smaller_pool_of_contiguous_memory(machine: Machine) -> None:
    """What counts as contiguous gets less; what there is and what is available does not."""
    offer, gains, _ = try_out(machine, "cma")
    size = 256 * MIB - int((offer.words["cma"] or "").removesuffix("M")) * MIB
    assert offer.effect.gain.likely_bytes == 0
    assert gains["CmaTotal"] == -size
    assert abs(gains["CmaFree"] + size) <= NOISE_BYTES
    assert gains["MemTotal"] == 0
    assert abs(gains["MemAvailable"]) <= NOISE_BYTES // 2
