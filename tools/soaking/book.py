"""Results, one JSON line each, appended as they come: what was done is not done again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Union

import msgspec

from soaking.decide import Decision
from soaking.real import Run


class Setting(msgspec.Struct, frozen=True, kw_only=True, tag="setting"):
    """What all lines of a file were made with; another setting needs another file.

    ``read_ahead_bytes`` is of the disk that the models lie on.
    """

    seed: int
    memfit: str
    engine: str
    machine: str
    read_ahead_bytes: int


Line = Union[Setting, Decision, Run]


class Book:
    """A file of results.

    Args:
        path: the file.
        setting: what will be added; None where nothing will.

    Raises:
        SystemExit: it is of another setting.
    """

    def __init__(self, path: Path, setting: Setting | None) -> None:
        self.path = path
        self.decisions: dict[int, Decision] = {}
        self.runs: dict[int, Run] = {}
        kept = self._read()
        if setting is None:
            return
        if kept is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.add(setting)
        elif kept != setting:
            raise SystemExit(f"{path} was made with {kept}, not with {setting}: give --results another file")

    def add(self, line: Line) -> None:
        """Append one, on disk before it counts."""
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._count(line)

    def _read(self) -> Setting | None:
        if not self.path.exists():
            return None
        content = self.path.read_bytes()
        if not content.endswith(b"\n"):  # the last line was cut off when the machine or the soak went down
            content = content[: content.rfind(b"\n") + 1]
            self.path.write_bytes(content)
        setting = None
        for text in content.splitlines():
            line: Line = msgspec.json.decode(text, type=Line)  # type: ignore[type-var,unused-ignore]
            if isinstance(line, Setting):
                setting = line
            self._count(line)
        return setting

    def _count(self, line: Line) -> None:
        if isinstance(line, Decision):
            self.decisions[line.drawn.index] = line
        elif isinstance(line, Run):
            self.runs[line.index] = line
