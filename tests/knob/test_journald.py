from __future__ import annotations

from collections.abc import Mapping

import msgspec

from memfit.host.snapshot import SnapshotHost
from memfit.knob import Offer, offers
from memfit.knob.changes import FileChange
from memfit.units import MIB
from whole_machine import journal_file, machine

UNIT = {"/usr/lib/systemd/system/systemd-journald.service": "[Unit]\n"}
RUN = "/run/log/journal/0123"


def journald(files: Mapping[str, str | bytes], **more: object) -> Offer:
    host, known = machine({**UNIT, **files}, **more)  # type: ignore[arg-type]
    (offer,) = offers(host, known, names=["journald"])
    return offer


def test_what_lies_above_the_cap_comes_back_after_a_boot() -> None:
    offer = journald(
        {f"{RUN}/system.journal": journal_file(24 * MIB), f"{RUN}/user-1000.journal": journal_file(8 * MIB)}
    )
    assert offer.effect.gain.low_bytes == offer.effect.gain.high_bytes == 24 * MIB
    assert offer.effect.when == "reboot"
    (file,) = offer.changes
    assert isinstance(file, FileChange)
    assert file.content.decode().splitlines()[1:] == ["[Journal]", "RuntimeMaxUse=8M"]


def test_sizes_that_only_root_may_read_are_between_bounds() -> None:
    host, known = machine({**UNIT, f"{RUN}/system.journal": b"", f"{RUN}/system@1.journal": b""})
    files = {path: held for path, held in host.snapshot.files.items() if not path.startswith(RUN)}
    folders = {
        **host.snapshot.folders,
        "/run/log/journal": ("0123",),
        RUN: ("system.journal", "system@1.journal"),
    }
    refused = {f"{RUN}/{name}": "permission" for name in folders[RUN]}
    there = SnapshotHost(msgspec.structs.replace(host.snapshot, files=files, folders=folders, refused=refused))
    (offer,) = offers(there, known, names=["journald"])
    assert offer.effect.gain.low_bytes == 0
    used = 799_002_624 - 795_725_824  # all of /run is less than two files of 8 MiB
    assert offer.effect.gain.high_bytes == max(0, used - 8 * MIB) == 0
    assert not offer.saves
    disks = {
        **there.snapshot.disks,
        "/run": msgspec.structs.replace(there.snapshot.disks["/run"], free_bytes=700 * MIB),
    }
    fuller = SnapshotHost(msgspec.structs.replace(there.snapshot, disks=disks))
    gain = offers(fuller, known, names=["journald"])[0].effect.gain
    assert (gain.low_bytes, gain.likely_bytes, gain.high_bytes) == (0, 8 * MIB, 799_002_624 - 708 * MIB)


def test_a_journal_on_disk_and_one_with_a_cap_stay() -> None:
    assert journald({"/var/log/journal/0123/system.journal": b""}).effect.reason == "the journal is on disk"
    on_disk = {"/etc/systemd/journald.conf": "[Journal]\n#Storage=auto\nStorage=persistent\n"}
    assert journald(on_disk).effect.reason == "the journal is on disk"
    volatile = "[Journal]\nStorage=volatile\n"
    both: dict[str, str | bytes] = {"/var/log/journal/0123/system.journal": b"", "/etc/systemd/journald.conf": volatile}
    assert journald(both).applies
    none = {"/usr/lib/systemd/journald.conf.d/50-none.conf": "[Journal]\nStorage=none\n"}
    assert journald(none).effect.reason == "no journal is kept"
    capped = {"/etc/systemd/journald.conf.d/10-ours.conf": "[Journal]\nRuntimeMaxUse=16M\n"}
    assert "RuntimeMaxUse=16M" in journald(capped).effect.reason


def test_files_are_read_in_the_order_of_their_names() -> None:
    both = {
        "/etc/systemd/journald.conf.d/10-a.conf": "[Journal]\nStorage=persistent\n",
        "/usr/lib/systemd/journald.conf.d/20-b.conf": "[Journal]\nStorage=volatile\n",
    }
    assert journald(both).applies
