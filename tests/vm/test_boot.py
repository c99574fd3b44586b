"""Kernels booted under QEMU: what the machine is, and that an audit of it over ssh is right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from image import SERVICES, Image
from launcher import CONFIGURATION
from machine import NAME, Machine

from memfit.device.audit import audit, audit_paths
from memfit.device.audit_records import Audit
from memfit.device.meminfo import parse_meminfo
from memfit.host import Manifest
from memfit.host._collect import collect
from memfit.host._program import PYTHON_OPTIONS
from memfit.host.record import write_recording
from memfit.host.recorded import RecordedHost
from memfit.host.ssh import SshHost
from memfit.units import KIB, MIB

pytestmark = pytest.mark.vm
MANIFEST = Manifest(paths=audit_paths())
# an emulated processor takes seconds for what a board does at once
QUIET_S = 60.0
_BOARD_BYTES = 4096 * MIB  # the smallest board of NVIDIA's with an Orin
_UNEXPLAINED = 0.005
"""Of DRAM, what no counter and no line of a log shows: 4 MiB of a kernel that runs in 1 GiB."""
_HUGE_BYTES = 2 * MIB
"""Right after a boot there may be a huge page more: what a program gave back of one is in no counter."""
_SLAB_BYTES, _SLOT_BYTES = 2048, 24  # kernel/dma/swiotlb.c of 6.1: IO_TLB_SHIFT, struct io_tlb_slot


@pytest.fixture(scope="module")
def machine(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """As it was made; no test of it changes it."""
    made = Machine(tmp_path_factory.mktemp("vm") / "machine", image)
    made.boot()
    yield made
    made.stop()


@pytest.fixture
def another(image: Image, tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "machine", image)
    yield made
    made.kill()


def meminfo(machine: Machine) -> dict[str, int]:
    return parse_meminfo(machine.ssh("cat /proc/meminfo"))


def over_ssh(machine: Machine) -> SshHost:
    return SshHost(NAME, MANIFEST, client=machine.client, quiet_s=QUIET_S)


def booted_with(machine: Machine, arguments: str = "", **options: Any) -> tuple[dict[str, int], Audit]:
    """Counters and audit of another machine, which is the same but for firmware's arguments and ``options``."""
    folder = machine.folder.with_name("-".join(("with", *arguments.split(), *options)))
    made = Machine(folder, machine.image, firmware_arguments=arguments, **options)
    try:
        made.boot()
        return meminfo(made), audit(over_ssh(made))
    finally:
        made.kill()


def label(machine: Machine) -> str | None:
    assert machine.booted is not None
    return machine.booted.label


def sizes(found: Audit, name: str) -> dict[str | None, int]:
    return {term.holder: term.bytes for term in found.terms if term.name == name}


def test_everything_runs(machine: Machine) -> None:
    assert label(machine) == "primary"
    assert machine.booted is not None
    assert machine.ssh("cat /proc/cmdline").strip() == machine.booted.command_line
    assert machine.ssh("systemctl is-system-running").strip() == "running"
    assert machine.ssh("systemctl get-default").strip() == "graphical.target"
    assert machine.ssh("uname -m").strip() == "aarch64"
    assert machine.ssh("python3 -c 'import json, ssl; print(6 * 7)'").strip() == "42"
    real = ("avahi-daemon", "bluetooth", "cups", "ModemManager", "unattended-upgrades", "ssh", "display-manager")
    units = (*SERVICES, *real)
    states = machine.ssh(f"systemctl is-active {' '.join(units)} || true").split()
    assert dict(zip(units, states, strict=True)) == dict.fromkeys(units, "active")


def test_stand_ins_hold_what_they_say(machine: Machine) -> None:
    found = audit(over_ssh(machine))
    for unit, name, size, role in (
        ("gdm.service", "Xorg", 24 * MIB, "desktop"),
        ("gdm.service", "gnome-shell", 64 * MIB, "desktop"),
        ("snapd.service", "snapd", 24 * MIB, "snap"),
        ("nvargus-daemon.service", "nvargus-daemon", 16 * MIB, ""),
    ):
        (row,) = (row for row in found.processes if row.unit == unit and row.name.endswith(name))
        assert row.role == role
        assert 0 <= row.anonymous_bytes - size < 8 * MIB, row  # and the interpreter's own
    held = {reclaim.name: reclaim.low_bytes for reclaim in found.reclaims}
    assert held["desktop"] >= 96 * MIB
    assert held["snapd"] >= 24 * MIB


def test_over_ssh_as_inside(machine: Machine, tmp_path: Path) -> None:
    """What ssh tells is what a unit of the machine's own sees, which is in no session of ssh."""
    unit = ("systemd-run", "--quiet", "--pipe", "--wait", "python3", *PYTHON_OPTIONS)
    taken = collect((*machine.client, NAME, *unit), MANIFEST, None, quiet_s=QUIET_S)
    write_recording(taken, tmp_path / "inside.tar.gz")
    inside = audit(RecordedHost(tmp_path / "inside.tar.gz"))
    outside = audit(over_ssh(machine))
    for name in ("board", "compatible", "stack", "boot", "physical_bytes", "linux_bytes", "engines", "carveouts"):
        assert getattr(outside, name) == getattr(inside, name), name
    assert [check.name for check in outside.checks] == [check.name for check in inside.checks]
    fixed = [[term for term in found.terms if term.layer in ("firmware", "boot")] for found in (inside, outside)]
    assert fixed[0] == fixed[1]
    names = [{term.name for term in found.terms} for found in (inside, outside)]
    assert names[0] == names[1]
    for layer in ("kernel", "user", "free"):
        sums = [sum(term.bytes for term in found.terms if term.layer == layer) for found in (inside, outside)]
        assert abs(sums[0] - sums[1]) <= 24 * MIB, layer
    for found in (inside, outside):
        assert found.physical_bytes == 1024 * MIB
        assert found.unexplained_bytes is not None
        assert abs(found.unexplained_bytes) <= _UNEXPLAINED * 1024 * MIB + _HUGE_BYTES


def test_the_command_finds_it(machine: Machine) -> None:
    path = f"{machine.bin}{os.pathsep}{os.environ['PATH']}"
    words = [sys.executable, "-m", "memfit", "audit", "--host", NAME, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PATH": path})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["linux_bytes"] == meminfo(machine)["MemTotal"]
    assert told["door"] == "ssh"


def test_carveouts_by_name(machine: Machine) -> None:
    given = {"camera-carveout": 32 * MIB, "display-carveout": 34 * MIB}
    before = meminfo(machine)["MemTotal"]
    after, found = booted_with(machine, carveouts=given)
    total = sum(given.values())
    # what nobody may map needs no page tables either: 8 bytes for each page, since arm64 maps by pages (rodata=full)
    assert before - after["MemTotal"] == total - total // 512
    named = {holder.partition("@")[0]: size for holder, size in sizes(found, "reserved_memory").items() if holder}
    assert named == given
    assert found.unexplained_bytes is not None
    assert abs(found.unexplained_bytes) <= _UNEXPLAINED * 1024 * MIB


def test_bounce_buffers_and_what_is_unexplained_on_a_board(machine: Machine) -> None:
    """The kernel takes bounce buffers where DRAM reaches beyond an address of 4 GiB, as on every board."""
    slabs = (2048, 32768)
    few, many = (booted_with(machine, f"swiotlb={count}", memory_bytes=_BOARD_BYTES) for count in slabs)
    for count, (_, found) in zip(slabs, (few, many), strict=True):
        assert sum(sizes(found, "swiotlb").values()) == count * _SLAB_BYTES
        assert found.physical_bytes == _BOARD_BYTES
        assert found.unexplained_bytes is not None
        assert abs(found.unexplained_bytes) <= _UNEXPLAINED * _BOARD_BYTES
    gain = (slabs[1] - slabs[0]) * (_SLAB_BYTES + _SLOT_BYTES)
    assert abs(few[0]["MemTotal"] - many[0]["MemTotal"] - gain) <= 64 * KIB


def test_contiguous_memory_stays_in_the_total(machine: Machine) -> None:
    few, _ = booted_with(machine, "cma=64M")
    many, _ = booted_with(machine, "cma=256M")
    assert (few["CmaTotal"], many["CmaTotal"]) == (64 * MIB, 256 * MIB)
    assert few["MemTotal"] == many["MemTotal"]


def test_a_changed_default_changes_the_boot(another: Machine) -> None:
    another.boot()
    entry = r"LABEL memfit\n  LINUX /boot/Image\n  INITRD /boot/initrd\n  APPEND root=/dev/vda rw changed"
    another.ssh(f"printf '\\n{entry}\\n' >> {CONFIGURATION}; sed -i 's/^DEFAULT .*/DEFAULT memfit/' {CONFIGURATION}")
    another.reboot()
    assert label(another) == "memfit"
    assert " changed " in another.ssh("cat /proc/cmdline")
    another.ssh(f"truncate --size 0 {CONFIGURATION}")
    another.reboot()
    assert label(another) is None
    assert " flashed " in another.ssh("cat /proc/cmdline")


def test_what_was_synced_outlives_the_power(another: Machine, image: Image, tmp_path: Path) -> None:
    another.boot()
    another.ssh("echo kept > /etc/kept; sync /etc/kept /etc; echo lost > /etc/lost")
    another.kill()
    assert not another.is_on
    disk = another.snapshot(tmp_path / "after.qcow2")
    another.boot()
    assert another.ssh("cat /etc/kept").strip() == "kept"
    assert another.ssh("cat /etc/lost 2>/dev/null || true").strip() == ""
    assert another.ssh("systemctl is-system-running").strip() == "running"
    again = Machine(tmp_path / "again", image, disk=disk)
    assert again.boot()
    assert again.ssh("cat /etc/kept").strip() == "kept"
    again.stop()
    assert not again.is_on
