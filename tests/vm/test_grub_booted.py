"""A command line of GRUB's on a booted kernel: kept where the boot is healthy, and fallen back from where it is not.

The boot loader and ``update-grub`` are stand-ins: what GRUB does with a file that is as it was is not in question.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from launcher import GRUB_CONFIGURATION
from machine import NAME, Machine
from test_knobs_booted import confirmed, files, look, place

from memfit.apply import apply, status, undo
from memfit.apply.records import Receipt
from memfit.knob import offers
from memfit.knob.combine import changes_of
from memfit.units import MIB

if TYPE_CHECKING:
    from image import Image

pytestmark = pytest.mark.vm
_SETTINGS = "GRUB_CMDLINE_LINUX=\\nGRUB_CMDLINE_LINUX_DEFAULT='rootwait rootfstype=ext4 console=ttyAMA0'\\n"
_CONFIRM = "/etc/systemd/system/memfit-confirm.service.d"


@pytest.fixture(scope="module")
def machine(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Booted by GRUB; above 4 GiB the kernel keeps bounce buffers."""
    made = Machine(tmp_path_factory.mktemp("grub") / "machine", image, memory_bytes=4096 * MIB)
    made.boot()
    made.ssh(
        "rm -r /boot/extlinux; mkdir -p /boot/grub /etc/default/grub.d; "
        f'cp /usr/libexec/stand-in/update-grub /usr/sbin; printf "{_SETTINGS}" > /etc/default/grub; update-grub'
    )
    made.reboot()
    assert made.booted is not None
    assert made.booted.label == "GRUB"
    assert "BOOT_IMAGE=" in command_line(made)
    yield made
    made.stop()


def command_line(machine: Machine) -> str:
    return machine.ssh("cat /proc/cmdline")


def applied(machine: Machine) -> Receipt:
    host, found = look(machine)
    chosen = [one for one in offers(host, found, names=["swiotlb"]) if one.applies]
    receipt = apply(place(machine), NAME, chosen, changes_of(host, found, chosen))
    assert "swiotlb=2048" in machine.ssh(f"cat {GRUB_CONFIGURATION}")
    return receipt


def test_a_healthy_boot_is_kept_and_taken_back(machine: Machine) -> None:
    before = files(machine)
    receipt = applied(machine)
    machine.reboot()
    assert "swiotlb=2048" in command_line(machine)
    confirmed(machine, receipt)
    assert "swiotlb=2048" in machine.ssh(f"cat {GRUB_CONFIGURATION}")
    assert machine.ssh(f"stat -c '%a %u %g' {GRUB_CONFIGURATION} /var/lib/memfit/trial.json").split("\n")[:2] == [
        "600 0 0",
        "600 0 0",
    ]
    undo(place(machine), NAME, receipt.id)
    assert files(machine) == before
    machine.reboot()
    assert "swiotlb" not in command_line(machine)


def test_a_boot_that_nobody_confirms_falls_back(machine: Machine) -> None:
    """As where it hangs: the boot after it is the one before, also once a new kernel has made the file anew."""
    before = files(machine)
    receipt = applied(machine)
    machine.ssh(f"mkdir {_CONFIRM}; printf '[Service]\\nExecStartPre=/bin/false\\n' > {_CONFIRM}/broken.conf")
    machine.reboot()
    assert "swiotlb=2048" in command_line(machine)
    machine.ssh(f"rm -r {_CONFIRM}")
    (told,) = (one for one in status(place(machine), NAME).receipts if one.id == receipt.id)
    assert told.boot is not None
    assert told.boot.state == "trying"
    machine.ssh("update-grub")
    machine.reboot()
    assert "swiotlb" not in command_line(machine)
    (told,) = (one for one in status(place(machine), NAME).receipts if one.id == receipt.id)
    assert told.boot is not None
    assert told.boot.state == "fell back"
    assert "before that boot was confirmed" in told.boot.reasons[0]
    undo(place(machine), NAME, receipt.id)
    now = files(machine)
    assert {path: what[:4] for path, what in now.items()} == {path: what[:4] for path, what in before.items()}
