"""What the collector says, read as it comes: into a snapshot, or into why there is none."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from memfit.host.records import Disk, Manifest
from memfit.host.snapshot import Snapshot

_MOST_NOISE_BYTES = 1 << 20  # what a shell may print before the program starts
_MOST_LINE_BYTES = 16 << 20  # the names of one folder


class Nonsense(Exception):
    """These bytes are not the collector's."""


class Stream:
    """Takes bytes in whatever pieces they come.

    Attributes:
        started: whether the collector has said anything.
        old_python: the version found, where it is too old to run the collector.
        finished: whether it came to its end.
        late: the path at which its time was over.
        last: the path it spoke of last.
        noise: what was printed before its start, at most the last 2,000 bytes.
    """

    def __init__(self, marker: str, manifest: Manifest) -> None:
        self.started = False
        self.old_python: str | None = None
        self.finished = False
        self.late: str | None = None
        self.last = ""
        self.noise = b""
        self._mark = b"\n" + marker.encode()
        self._manifest = manifest
        # what files may hold together, and three times as much for frames around many small ones
        self._most = 4 * manifest.most_bytes + _MOST_LINE_BYTES
        self._taken = 0
        self._held = bytearray(b"\n")
        self._file: str | None = None
        self._pieces = bytearray()
        self._machine: dict[str, Any] = {}
        self._end: dict[str, Any] = {}
        self._tables: dict[str, dict[str, Any]] = {
            kind: {} for kind in ("file", "folder", "link", "refused", "cut", "disk")
        }

    def feed(self, piece: bytes) -> None:
        """Take what came.

        Raises:
            Nonsense: the collector does not speak like this, or without an end.
        """
        self._taken += len(piece)
        if self._taken > self._most:
            raise Nonsense("it sends without end")
        if self.finished or self.old_python is not None:
            return  # a shell may say goodbye
        self._held += piece
        while self._step():
            pass

    def snapshot(self) -> Snapshot:
        """All that came.

        Raises:
            Nonsense: what came contradicts itself.
        """
        tables, machine = self._tables, self._machine
        try:
            return Snapshot(
                name=str(machine["name"]),
                taken=datetime.fromtimestamp(float(machine["time"]), timezone.utc).isoformat(timespec="seconds"),
                python=str(machine["python"]),
                uid=int(machine["uid"]),
                patterns=self._manifest.paths,
                files={path: content for path, content in tables["file"].items() if path not in tables["refused"]},
                folders={path: tuple(map(str, frame["names"])) for path, frame in tables["folder"].items()},
                links={path: str(frame["target"]) for path, frame in tables["link"].items()},
                refused={path: str(frame["why"]) for path, frame in tables["refused"].items()},
                cut=tuple(tables["cut"]),
                disks={
                    path: Disk(total_bytes=int(frame["total_bytes"]), free_bytes=int(frame["free_bytes"]))
                    for path, frame in tables["disk"].items()
                },
                peak_bytes=self._end.get("peak_bytes"),
            )
        except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise Nonsense(f"its answer contradicts itself: {error!r}") from None

    def _step(self) -> bool:
        """Take one thing from what is held; False where it has not come whole."""
        if not self.started:
            return self._start()
        if self.finished:
            return False
        if self._file is not None:
            return self._piece(self._file)
        end = self._held.find(b"\n")
        if end < 0:
            if len(self._held) > _MOST_LINE_BYTES:
                raise Nonsense("a line of it has no end")
            return False
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        try:
            frame = json.loads(line)
            self._frame(frame["kind"], frame)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Nonsense(f"it says {line[:80]!r}") from None
        return True

    def _start(self) -> bool:
        at = self._held.find(self._mark)
        end = self._held.find(b"\n", at + 1)
        if at < 0 or end < 0:
            self.noise = bytes(self._held[1:][-2000:])
            if len(self._held) > _MOST_NOISE_BYTES:
                raise Nonsense("the shell prints without end before it starts Python")
            return False
        version = self._held[at + len(self._mark) : end].decode("ascii", "replace").strip()
        del self._held[: end + 1]
        self.started = True
        self.old_python = version or None
        return self.old_python is None

    def _frame(self, kind: str, frame: dict[str, Any]) -> None:
        if kind == "machine":
            self._machine = frame
        elif kind == "end":
            self._end = frame
            self.late = frame.get("late")
            self.finished = self.late is None
        else:
            self.last = str(frame["path"])
            self._tables[kind][self.last] = frame
            if kind == "file":
                self._file = self.last

    def _piece(self, path: str) -> bool:
        size = int.from_bytes(self._held[:4], "big")
        if len(self._held) < 4 + size or len(self._held) < 4:
            return False
        self._pieces += self._held[4 : 4 + size]
        del self._held[: 4 + size]
        if not size:
            self._tables["file"][path] = bytes(self._pieces)
            self._pieces.clear()
            self._file = None
        return True
