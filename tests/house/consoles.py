"""Console blocks of the documents: commands and what they print."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"```console\n(.*?)```", re.S)


@dataclass(frozen=True)
class Console:
    """One block: a command after ``$ `` and the output below it; ``…`` alone on a line stands for any lines."""

    document: str
    command: str
    output: str
    start: int
    end: int

    def run(self) -> str:
        """What the command prints now, at 100 columns, without colour, with the formulas alone."""
        words = shlex.split(self.command)
        assert words[0] == "memfit", self.command
        environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONUTF8": "1", "MEMFIT_CACHE": "off"}
        done = subprocess.run(
            [sys.executable, "-m", "memfit", *words[1:]],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=environment,
            encoding="utf-8",
        )
        assert not done.stderr, done.stderr
        return done.stdout


def consoles(path: Path) -> Iterator[Console]:
    """Every block of a document that starts with a memfit command."""
    text = path.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        first, _, output = match.group(1).partition("\n")
        if first.startswith("$ memfit "):
            start = match.start(1) + len(first) + 1
            yield Console(path.name, first.removeprefix("$ "), output, start, match.end(1))


def matches(printed: str, documented: str) -> bool:
    """Whether the output is the documented one; a line ``…`` stands for any lines."""
    parts = [re.escape(part) for part in re.split(r"^…\n", documented, flags=re.M)]
    return re.fullmatch("(?:.*\n)*".join(parts), printed) is not None
