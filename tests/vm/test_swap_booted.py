"""Swap as knobs set it up, on a booted kernel with a real systemd: now, after a boot, and gone again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from machine import NAME, Machine

from memfit.agent import compress
from memfit.agent.compress import PAGE_BYTES, taken_bytes
from memfit.apply import Place, apply, packed, undo
from memfit.device.audit import audit, audit_paths
from memfit.host import Manifest
from memfit.host.ssh import SshHost
from memfit.knob import Wish, offers
from memfit.knob.combine import changes_of
from memfit.knob.knobs import swap_file
from memfit.knob.offers import offer_paths
from memfit.units import MIB

if TYPE_CHECKING:
    from image import Image

pytestmark = pytest.mark.vm
WISHES = {"zram": Wish(value="256MiB"), "oom_policy": Wish(value="cups"), "threads": Wish(value="cups:2")}
_FILES = "find /etc /boot -xdev \\( -type f -o -type l \\) -printf '%p %l %m %s\\n' | sort; ls -a /"


@pytest.fixture(scope="module")
def machine(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("swap") / "machine", image)
    made.boot()
    yield made
    made.stop()


def swaps(machine: Machine) -> dict[str, int]:
    """Sizes in KiB by name."""
    lines = machine.ssh("cat /proc/swaps").splitlines()[1:]
    return {line.split()[0]: int(line.split()[2]) for line in lines}


def test_a_file_and_compressed_memory_come_stay_and_go(machine: Machine) -> None:
    place = Place(host=NAME, client=machine.client)
    before = machine.ssh(_FILES)
    host = SshHost(NAME, Manifest(paths=(*audit_paths(), *offer_paths())), client=machine.client, quiet_s=90.0)
    found = audit(host)
    chosen = offers(host, found, names=WISHES, wishes=WISHES)
    assert all(offer.applies for offer in chosen), [offer.effect.reason for offer in chosen]
    state = swap_file.KNOB.read(host, found)
    # the disk of this machine is virtual, which the knob does not take for an NVMe drive
    state = swap_file.at(msgspec.structs.replace(state, kind="nvme"), Wish(value="64MiB"))
    assert swap_file.effect(state).applies
    receipt = apply(place, NAME, chosen, (*changes_of(host, found, chosen), *swap_file.change(state)))
    assert swaps(machine) == {"/swap.memfit": 64 * 1024 - 4}
    assert machine.ssh("systemctl is-active swap.memfit.swap; stat -c %a /swap.memfit").split() == ["active", "600"]

    machine.reboot()
    assert swaps(machine) == {"/swap.memfit": 64 * 1024 - 4, "/dev/zram0": 256 * 1024 - 4}
    assert machine.ssh("systemctl is-active memfit-zram.service").strip() == "active"
    told = machine.ssh("systemctl show cups.service -p OOMScoreAdjust -p OOMPolicy -p Environment")
    assert {"OOMScoreAdjust=-500", "OOMPolicy=stop"} <= set(told.split())
    assert "OMP_NUM_THREADS=2" in told

    assert undo(place, NAME, receipt.id).state == "undone"
    assert "/swap.memfit" not in swaps(machine)
    machine.reboot()
    assert swaps(machine) == {}
    assert machine.ssh(_FILES) == before


def test_weights_are_packed_where_they_are(machine: Machine) -> None:
    """On a machine that has only what Debian has, as an ordinary reader of files."""
    machine.ssh("head -c 4194304 /dev/urandom > /tmp/noise.bin; head -c 4194304 /dev/zero > /tmp/zeros.bin")
    place = Place(host=NAME, client=machine.client)
    noise = {one.algorithm: one for one in packed(place, "/tmp/noise.bin")}
    assert {"lz4", "zstd"} & noise.keys()
    assert all(one.ratio == pytest.approx(1.0) for one in noise.values())
    assert all(one.stored_bytes == 0 for one in packed(place, "/tmp/zeros.bin"))
    assert noise[next(iter(noise))].file_bytes == 4 * MIB
    machine.ssh("rm /tmp/noise.bin /tmp/zeros.bin")


@pytest.mark.skipif("lz4" not in compress._packers(), reason="no liblz4 here")
def test_an_older_kernel_takes_what_was_said(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Up to 6.1 pieces are cut from up to 4 pages, and a page is kept whole from a smaller size on."""
    chance = random.Random(11)
    noise = [chance.choice((0, chance.randrange(PAGE_BYTES + 1))) for _ in range(1000)]
    pages = [chance.randbytes(size) + b"\7" * (PAGE_BYTES - size) for size in noise]
    (tmp_path / "mixed.bin").write_bytes(b"".join(pages))
    machine.copy(tmp_path / "mixed.bin", "/tmp/mixed.bin")
    release = tuple(map(int, machine.ssh("uname -r").split(".")[:2]))
    said = machine.ssh(
        "modprobe zram; n=$(cat /sys/class/zram-control/hot_add); cd /sys/block/zram$n; echo lz4 > comp_algorithm; "
        f"echo {len(pages) * PAGE_BYTES} > disksize; dd if=/tmp/mixed.bin of=/dev/zram$n bs=4k conv=fsync 2>/dev/null; "
        "cat mm_stat; echo 1 > reset; echo $n > /sys/class/zram-control/hot_remove; rm /tmp/mixed.bin"
    )
    original, packed_bytes, taken = map(int, said.split()[:3])
    pack = compress._packers()["lz4"]
    sizes = [pack(page) for page in pages]
    chain = 8 if release >= compress._LONG_CHAINS else 4
    told = taken_bytes(sizes, chain, alone=True)
    with capsys.disabled():
        print(f"\nkernel {release}: {told} said, {taken} taken for {original}, which pack to {packed_bytes}")
    assert original == len(pages) * PAGE_BYTES
    assert told == pytest.approx(taken, rel=0.01)
