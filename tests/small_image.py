"""An unpacked image with a few services, as a Jetson's has them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

UNITS = ("cups.service", "cups.socket", "bluetooth.service", "avahi-daemon.service", "ssh.service", "nvpower.service")


def make_image(folder: Path) -> Path:
    """The image's top."""
    root = folder / "image"
    units = root / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for unit in UNITS:
        (units / unit).write_text(f"[Unit]\nDescription={unit}\n[Service]\nExecStart=/bin/true\n")
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    for unit in ("cups.service", "avahi-daemon.service"):
        (wants / unit).symlink_to(f"/usr/lib/systemd/system/{unit}")
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (root / "etc/hostname").write_text("board\n")
    return root


def everything(root: Path) -> dict[str, tuple[object, ...]]:
    """All that is there, except memfit's own journal: kind, mode, content or target, and when it changed."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            inside = str(path.relative_to(root))
            if inside.startswith("var"):
                continue
            there = path.lstat()
            if path.is_symlink():
                found[inside] = ("link", str(path.readlink()))
            elif path.is_dir():
                found[inside] = ("folder", there.st_mode)
            else:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found[inside] = ("file", there.st_mode, digest, there.st_mtime_ns)
    return found
