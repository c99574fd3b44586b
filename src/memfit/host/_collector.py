"""The program that reads a machine's files where they are, and streams them to whoever started it.

It is sent to ``python3 -`` over standard input, so it needs Python 3.8 and the standard library alone, writes no file
and leaves nothing behind; ``_program.py`` puts ``_rules.py`` before it and wraps both. What it says is a line that
marks the start, then frames: a line of JSON each, and behind a file its content in pieces (four bytes of length, big
endian, then as many bytes; length 0 ends it). No file is ever held whole, and nothing is opened but regular files and
the kernel's log.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import sys
import time
from collections.abc import Iterator
from typing import Any, BinaryIO

if __name__ != "collector":  # where it was sent to, the text of the rules has just run under this name
    from memfit.host._rules import PIECE_BYTES, never_read, never_sent, open_to_read, rank, read_up_to, walk

_RECORD_BYTES = 1 << 13  # more than one of the kernel's log can have (PRINTK_MESSAGE_MAX, 2048, with its head)
# A network file system may hang for ever on a question, and an automount would be triggered by it
_LOCAL_FILE_SYSTEMS = re.compile(
    "btrfs|devtmpfs|erofs|exfat|ext[234]|f2fs|iso9660|jffs2|ntfs3|overlay|squashfs|tmpfs|ubifs|vfat|xfs|zfs"
)


class _Stuck(Exception):
    """A call to the kernel did not come back in time."""


class _Alarm:
    """Ends what blocks. It rings only between ``with`` and its end, so never in the middle of a frame."""

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._armed = False
        signal.signal(signal.SIGALRM, self._ring)

    def _ring(self, number: int, frame: Any) -> None:
        if self._armed:
            raise _Stuck

    def __enter__(self) -> None:
        self._armed = True
        signal.setitimer(signal.ITIMER_REAL, self._most_s)

    def __exit__(self, *failure: object) -> None:
        self._armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)


class _Collector:
    """One walk over a manifest (see ``Manifest`` for its fields)."""

    def __init__(self, manifest: dict[str, Any], out: BinaryIO) -> None:
        self._manifest = manifest
        self._out = out
        self._seen: set[str] = set()
        self._left = manifest["most_bytes"]
        self._end = time.monotonic() + manifest["total_s"]
        self._flushed = time.monotonic()
        self._alarm = _Alarm(manifest["file_s"])
        self._no_answer = f"no answer within {manifest['file_s']:g} s"

    def run(self) -> None:
        """Stream everything."""
        self._out.write(f"\n{self._manifest['marker']}\n".encode())
        machine = os.uname()
        python = ".".join(map(str, sys.version_info[:3]))
        self._say(kind="machine", name=machine.nodename, python=python, uid=os.geteuid(), time=time.time())
        self._out.flush()
        began = time.monotonic()
        for mount, total, free in self._disks():
            self._say(kind="disk", path=mount, total_bytes=total, free_bytes=free)
        for pattern in sorted(self._manifest["paths"], key=rank):
            for path in walk(pattern, self._names):
                if path not in self._seen:
                    self._seen.add(path)
                    self._visit(path)
                now = time.monotonic()
                if now > self._end:
                    return self._say(kind="end", late=path)
                if now > self._flushed + 0.5:  # a slow walk shows that it goes on
                    self._out.flush()
                    self._flushed = now
        self._say(kind="end", ran_s=time.monotonic() - began, peak_bytes=_peak_bytes())
        return self._out.flush()

    def _say(self, **frame: Any) -> None:
        import json

        self._out.write(json.dumps(frame).encode() + b"\n")

    def _names(self, folder: str) -> list[str]:
        try:
            with self._alarm:
                return os.listdir(folder)  # noqa: PTH208  the program is small without pathlib
        except PermissionError:
            self._refuse(folder, "permission")
        except _Stuck:
            self._refuse(folder, self._no_answer)
        except OSError:  # it is not a folder, or has gone
            pass
        return []

    def _refuse(self, path: str, why: str) -> None:
        self._say(kind="refused", path=path, why=why)

    def _visit(self, path: str) -> None:
        try:
            self._look(path)
        except PermissionError:
            self._refuse(path, "permission")
        except _Stuck:
            self._refuse(path, self._no_answer)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR) and os.path.lexists(path):  # else it just went away
                self._refuse(path, error.strerror or str(error))

    def _look(self, path: str) -> None:
        if never_read(path) or never_sent(path):
            return self._refuse(path, "never recorded: it holds secrets, or a read of it could block")
        with self._alarm:
            mode = os.lstat(path).st_mode
            target = os.readlink(path) if stat.S_ISLNK(mode) else None  # noqa: PTH115
        if target is not None:
            self._say(kind="link", path=path, target=target)
            with self._alarm:
                mode = os.stat(path).st_mode  # noqa: PTH116
        if stat.S_ISDIR(mode):
            with self._alarm:
                names = os.listdir(path)  # noqa: PTH208
            if len(names) > self._manifest["most_names"]:
                return self._refuse(path, "it holds too many names")
            return self._say(kind="folder", path=path, names=sorted(names))
        with self._alarm:
            file = open_to_read(path)
        try:
            return self._send(path, file)
        finally:
            os.close(file)

    def _send(self, path: str, file: int) -> None:
        if self._left <= 0:
            self._refuse(path, "left out: all files together are too large")
            return
        left = min(self._manifest["most_file_bytes"], self._left)
        with self._alarm:
            piece = read_up_to(file, min(left, PIECE_BYTES))
        if piece[:4] == b"\x7fELF":
            self._refuse(path, "never recorded: it is a program")
            return
        self._say(kind="file", path=path)
        try:
            while piece:
                self._piece(piece)
                left -= len(piece)
                self._left -= len(piece)
                with self._alarm:
                    piece = read_up_to(file, min(left, PIECE_BYTES))
        finally:
            self._piece(b"")
        if left <= 0:
            with self._alarm:
                more = read_up_to(file, _RECORD_BYTES)
            if more:
                self._say(kind="cut", path=path)

    def _piece(self, piece: bytes) -> None:
        self._out.write(len(piece).to_bytes(4, "big"))
        self._out.write(piece)

    def _disks(self) -> Iterator[tuple[str, int, int]]:
        try:
            with open("/proc/self/mounts", "rb") as file:
                lines = file.read(1 << 20).splitlines()
        except OSError:
            return
        for line in lines:
            words = os.fsdecode(line).split(" ")
            if len(words) < 3 or not _LOCAL_FILE_SYSTEMS.fullmatch(words[2]):
                continue
            mount = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal.group(1), 8)), words[1])
            try:
                with self._alarm:
                    found = os.statvfs(mount)
            except (OSError, _Stuck):
                continue
            yield mount, found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize


def _peak_bytes() -> int | None:
    try:
        with open("/proc/self/status", "rb") as file:
            found = re.search(rb"VmHWM:\s*(\d+) kB", file.read())
    except OSError:
        return None
    return int(found.group(1)) * 1024 if found else None


def main(manifest: dict[str, Any]) -> None:
    """Stream what ``manifest`` names to standard output."""
    with open(1, "wb", closefd=False, buffering=PIECE_BYTES) as out:
        _Collector(manifest, out).run()
