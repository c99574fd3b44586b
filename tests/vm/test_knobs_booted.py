"""Knobs on a booted kernel: what each gives against what it said, and that everything goes back."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from machine import NAME, Machine

from memfit.apply import Place, apply, choose, status, undo
from memfit.apply.records import Receipt
from memfit.device.audit import audit, audit_paths
from memfit.device.audit_records import Audit
from memfit.device.meminfo import parse_meminfo
from memfit.host import Host, Manifest
from memfit.host.ssh import SshHost
from memfit.knob import Offer, offers
from memfit.knob.combine import changes_of
from memfit.knob.offers import offer_paths
from memfit.units import MIB

if TYPE_CHECKING:
    from image import Image

pytestmark = pytest.mark.vm
QUIET_S = 90.0
# what a knob may be off by: 20 % of what it said, or what other processes come and go by meanwhile; a knob alone is
# measured within a second or two, in which less comes and goes
SHARE, NOISE_BYTES, SMALL_BYTES = 0.20, 4 * MIB, MIB
_UNITS = (
    *("avahi-daemon.service", "avahi-daemon.socket", "bluetooth.service", "cups.service", "cups.socket", "cups.path"),
    *("ModemManager.service", "unattended-upgrades.service", "gdm.service", "snapd.service", "snapd.socket"),
    *("nvargus-daemon.service", "nvmemwarning.service", "nvpower.service", "nvfancontrol.service", "ssh.service"),
)
# every file that memfit may write, and what systemd makes of them
_LOOK = """
import hashlib, json, os, stat
found = {}
for top in ("/etc", "/boot"):
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            there = os.lstat(path)
            kind = stat.S_IFMT(there.st_mode)
            what = os.readlink(path) if kind == stat.S_IFLNK else ""
            if kind == stat.S_IFREG:
                what = hashlib.sha256(open(path, "rb").read()).hexdigest()
            times = there.st_mtime_ns if kind == stat.S_IFREG else 0
            found[path] = [there.st_mode, there.st_uid, there.st_gid, what, times]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def machine(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Changed by every test of it, and put back by each; above 4 GiB the kernel keeps bounce buffers."""
    made = Machine(tmp_path_factory.mktemp("knobs") / "machine", image, memory_bytes=4096 * MIB)
    made.boot()
    # of what runs already it makes huge pages, 2 MiB at a time and when it likes: that is nobody's gain or loss
    made.ssh(f"echo {(1 << 32) - 1} > /sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs")
    # once a boot, when it reads its files again, systemd copies 0.8 MiB that it shared with the (sd-pam) of each user,
    # and 0.3 MiB of slabs come to it; a second time costs 0.1 MiB
    made.ssh("systemctl daemon-reload")
    # a login starts a manager of its user, and each of memfit's questions is one: here it is there all the time
    with subprocess.Popen([*made.client, NAME, "sleep infinity"], stdin=subprocess.DEVNULL) as login:
        yield made
        login.kill()
    made.stop()


def place(machine: Machine) -> Place:
    return Place(host=NAME, client=machine.client)


def look(machine: Machine) -> tuple[Host, Audit]:
    paths = (*audit_paths(), *offer_paths())
    host = SshHost(NAME, Manifest(paths=paths), client=machine.client, quiet_s=QUIET_S)
    return host, audit(host)


def files(machine: Machine) -> dict[str, list[object]]:
    found: dict[str, list[object]] = json.loads(machine.ssh(f"python3 -c '{_LOOK}'"))
    return found


def units(machine: Machine) -> dict[str, str]:
    """Whether each unit that a knob stops is active; what is enabled is a matter of files."""
    found = machine.run(f"systemctl is-active {' '.join(_UNITS)}", timeout_s=300)
    return dict(zip(_UNITS, found.stdout.split(), strict=True))


def memory(machine: Machine) -> dict[str, int]:
    return parse_meminfo(machine.ssh("cat /proc/meminfo"))


def settle(machine: Machine) -> None:
    """Wait until what was started again holds what it will hold: an emulated processor takes its time."""
    readings: list[int] = []
    for _ in range(40):
        readings.append(memory(machine)["MemAvailable"])
        if len(readings) > 3 and max(readings[-4:]) - min(readings[-4:]) <= MIB:
            return
        time.sleep(3)


def live_offers(machine: Machine) -> tuple[Host, Audit, list[Offer]]:
    host, found = look(machine)
    live = [one for one in offers(host, found) if one.saves and one.effect.when == "live" and one.name != "drop_caches"]
    return host, found, live


def test_each_gives_what_it_said_and_goes_back(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    before_files, before_units = files(machine), units(machine)
    host, found, live = live_offers(machine)
    assert {"desktop", "snapd", "camera_daemon", "cups", "avahi", "bluetooth"} <= {one.name for one in live}
    errors: list[tuple[str, float, int]] = []
    lines = []
    for offer in live:
        changes = changes_of(host, found, [offer])
        receipt = apply(place(machine), NAME, [offer], changes)
        assert receipt.measured_bytes is not None
        gain, likely = receipt.measured_bytes, offer.effect.gain.likely_bytes
        errors.append((offer.name, abs(gain - likely) / max(gain, 1), abs(gain - likely)))
        said = [size / MIB for size in (offer.effect.gain.low_bytes, likely, offer.effect.gain.high_bytes)]
        lines.append(
            f"{offer.name}: {said[1]:.1f} MiB said ({said[0]:.1f} to {said[2]:.1f}), {gain / MIB:.1f} measured"
        )
        undo(place(machine), NAME, receipt.id)
        assert files(machine) == before_files, offer.name
        assert units(machine) == before_units, offer.name
    with capsys.disabled():
        print("\n" + "\n".join(lines))
    shares = [share for _, share, _ in errors]
    assert statistics.median(shares) <= 0.10, lines
    assert all(share <= SHARE or size <= SMALL_BYTES for _, share, size in errors), lines


def test_together_they_give_their_sum(machine: Machine) -> None:
    """No process is counted by two knobs."""
    settle(machine)
    host, found, live = live_offers(machine)
    receipt = apply(place(machine), NAME, live, changes_of(host, found, live))
    said = sum(one.effect.gain.likely_bytes for one in live)
    assert receipt.measured_bytes is not None
    undo(place(machine), NAME, receipt.id)
    assert abs(receipt.measured_bytes - said) <= max(SHARE / 2 * said, 2 * NOISE_BYTES)


def test_everything_over_a_boot_and_back(machine: Machine) -> None:
    """All that is applicable, a reboot, the gain; undo, a reboot, and every file, unit and byte of MemTotal is back."""
    settle(machine)
    before_files, before_units, before = files(machine), units(machine), memory(machine)
    host, found = look(machine)
    chosen, _ = choose(offers(host, found), None, risk=False)
    assert {"swiotlb", "desktop"} <= {one.name for one in chosen}
    receipt = apply(place(machine), NAME, chosen, changes_of(host, found, chosen))
    assert receipt.waits_for_boot
    machine.reboot()
    confirmed(machine, receipt)
    settle(machine)
    after = memory(machine)
    said = sum(one.effect.gain.likely_bytes for one in chosen if one.name == "swiotlb")
    assert abs(after["MemTotal"] - before["MemTotal"] - said) <= max(SHARE * said, NOISE_BYTES)
    everything = sum(one.effect.gain.likely_bytes for one in chosen if one.name != "drop_caches")
    assert abs(after["MemAvailable"] - before["MemAvailable"] - everything) <= max(SHARE * everything, 3 * NOISE_BYTES)
    assert undo(place(machine), NAME, receipt.id).state == "undone"
    machine.reboot()
    assert files(machine) == before_files
    assert units(machine) == before_units
    assert memory(machine)["MemTotal"] == before["MemTotal"]
    assert abs(memory(machine)["MemAvailable"] - before["MemAvailable"]) <= 4 * NOISE_BYTES


def confirmed(machine: Machine, receipt: Receipt) -> None:
    machine.ssh("systemctl start --wait memfit-confirm.service || true", timeout_s=600)
    told = status(place(machine), NAME).receipts[-1]
    assert told.id == receipt.id
    assert told.boot is not None
    assert (told.boot.state, told.boot.reasons) == ("confirmed", ())
    assert told.booted_bytes is not None
    assert told.booted_bytes > 0


def test_a_boot_that_is_not_healthy_falls_back(machine: Machine) -> None:
    """A service that was active before and fails afterwards: the next boot is the old label, and undo goes back."""
    before_files = files(machine)
    host, found = look(machine)
    chosen = [one for one in offers(host, found, names=["swiotlb"]) if one.applies]
    receipt = apply(place(machine), NAME, chosen, changes_of(host, found, chosen))
    machine.ssh(
        "mkdir -p /etc/systemd/system/bluetooth.service.d; printf '[Service]\\nExecStartPre=/bin/false\\n' > "
        "/etc/systemd/system/bluetooth.service.d/broken.conf"
    )
    machine.reboot()
    machine.ssh("systemctl start --wait memfit-confirm.service || true", timeout_s=600)
    told = status(place(machine), NAME).receipts[-1]
    assert told.boot is not None
    assert told.boot.state == "fell back"
    assert any("bluetooth" in reason for reason in told.boot.reasons)
    machine.ssh("rm -r /etc/systemd/system/bluetooth.service.d; systemctl daemon-reload")
    machine.reboot()
    assert machine.booted is not None
    assert machine.booted.label == "primary"
    undo(place(machine), NAME, receipt.id)
    machine.reboot()
    assert files(machine) == before_files


def test_a_receipt_lists_what_changed(machine: Machine, tmp_path: Path) -> None:
    host, found = look(machine)
    chosen = [one for one in offers(host, found, names=["cups"]) if one.applies]
    receipt = apply(place(machine), NAME, chosen, changes_of(host, found, chosen))
    file = tmp_path / "receipt.json"
    file.write_bytes(msgspec.json.encode(receipt))
    assert any(change.kind == "unit" and change.before == "active" for change in receipt.changes)
    assert undo(place(machine), NAME, str(file)).state == "undone"
