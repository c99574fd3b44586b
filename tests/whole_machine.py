"""An Orin Nano with a desktop on which every knob finds something, in memory: the recorded one, and more files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from memfit.device.audit import audit
from memfit.device.audit_records import Audit
from memfit.host import Disk
from memfit.host.recorded import RecordedHost
from memfit.host.snapshot import Snapshot, SnapshotHost
from memfit.knob.offers import offer_paths

DEVICES = Path(__file__).parent / "fixtures" / "devices"
_LOOKED_FOR = re.compile(
    r"(?:/usr(?:/local)?)?/(?:lib|etc)/(?:systemd|sysctl|tmpfiles|default|kernel)|/(?:run|var/log)/(?:systemd|log|journal)|/boot"
    r"|/proc/sys/vm|/sys/kernel/mm|/usr/bin/jetson_clocks"
)
_UNITS, _USER_UNITS = "/lib/systemd/system/", "/usr/lib/systemd/user/"
_UNIT = b"[Unit]\nDescription=here\n"
_OTHER_MANAGERS = ("lightdm", "sddm", "lxdm", "xdm", "slim", "greetd", "nodm")
_MOUNTS = "/dev/nvme0n1p1 / ext4 rw,relatime 0 0\ntmpfs /run tmpfs rw,nosuid,nodev,size=780276k,mode=755 0 0\n"


@cache
def recorded(name: str) -> Snapshot:
    """A recorded machine without what knobs look for; all of the rest is known: what is not there is nowhere."""
    found = RecordedHost(DEVICES / f"{name}.tar.gz").snapshot

    def kept(table: Mapping[str, Any]) -> dict[str, Any]:
        return {path: value for path, value in table.items() if not _LOOKED_FOR.match(path)}

    files, links, folders, refused = map(kept, (found.files, found.links, found.folders, found.refused))
    return msgspec.structs.replace(found, patterns=(), files=files, links=links, folders=folders, refused=refused)


def machine(
    files: Mapping[str, str | bytes] | None = None,
    *,
    links: Mapping[str, str] | None = None,
    without: tuple[str, ...] = (),
    disks: Mapping[str, Disk] | None = None,
    name: str = "orin-nano-8gb-desktop",
    live: bool = True,
) -> tuple[SnapshotHost, Audit]:
    """A recorded machine with more files, or with others in their places, and its audit."""
    base = recorded(name)
    added = {path: text.encode() if isinstance(text, str) else text for path, text in (files or {}).items()}
    kept = {path: content for path, content in base.files.items() if live or not path.startswith(("/proc", "/sys"))}
    dropped = (*without, *(links or {}))
    snapshot = msgspec.structs.replace(
        base,
        live=live,
        files={path: content for path, content in {**kept, **added}.items() if path not in dropped},
        links={path: target for path, target in {**base.links, **(links or {})}.items() if path not in without},
        disks={**base.disks, **(disks or {})},
    )
    host = SnapshotHost(snapshot)
    return host, audit(host)


def whole_files() -> dict[str, str | bytes]:
    """Everything that a knob looks for."""
    units = {path: _UNIT for path in offer_paths() if path.startswith((_UNITS, _USER_UNITS)) and "*" not in path}
    zram = {f"/sys/block/zram{number}/mm_stat": "4096 74 12288 0 12288 0 0 0 0\n" for number in range(6)}
    swaps = "".join(f"/dev/zram{number} partition 650224 4 5\n" for number in range(6))
    return {
        **units,
        **zram,
        f"{_UNITS}multi-user.target": _UNIT,
        f"{_UNITS}graphical.target": _UNIT,
        "/proc/swaps": "Filename Type Size Used Priority\n" + swaps,
        "/proc/mounts": _MOUNTS + "tmpfs /tmp tmpfs rw,nosuid,nodev,nr_inodes=1048576 0 0\n",
        "/proc/sys/vm/swappiness": "60\n",
        "/proc/sys/vm/min_free_kbytes": "45056\n",
        "/proc/sys/vm/watermark_scale_factor": "10\n",
        "/proc/sys/vm/drop_caches": "",
        "/proc/sys/vm/compact_memory": "",
        "/sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n",
        "/usr/bin/jetson_clocks": "#!/bin/bash\n",
        "/run/log/journal/0123/system.journal": journal_file(24 << 20),
        "/run/log/journal/0123/system@1.journal": journal_file(16 << 20),
    }


def whole_machine() -> tuple[SnapshotHost, Audit]:
    """The machine on which every knob finds something."""
    return machine(
        whole_files(),
        links={
            "/etc/systemd/system/default.target": "/lib/systemd/system/graphical.target",
            "/etc/systemd/system/display-manager.service": "/lib/systemd/system/gdm3.service",
            "/lib/systemd/system/gdm.service": "gdm3.service",
        },
        # systemd's own folders are one on a merged /usr; what is asked of the others is not there
        without=tuple(
            f"{_UNITS}{name}.service" for name in ("lightdm", "sddm", "lxdm", "xdm", "slim", "greetd", "nodm")
        ),
        disks={"/tmp": Disk(total_bytes=3_901_368 << 10, free_bytes=3_880_888 << 10)},
    )


def journal_file(size_bytes: int) -> bytes:
    """The head of a journal's file of this size: what of it is read."""
    head = b"LPKSHHRH" + bytes(80) + (272).to_bytes(8, "little") + (size_bytes - 272).to_bytes(8, "little")
    return head.ljust(272, b"\0")
