"""What people see, kept as files. After a change meant to be seen, run ``MEMFIT_WRITE_GOLDEN=1 pytest tests/render``.

The files are read in review: a golden that changed is a change somebody will notice.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from render_samples import RECORDS

from memfit.render import find_view, render

GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("MEMFIT_WRITE_GOLDEN") == "1"

CASES = [
    *((name, "terminal", None, width) for name in RECORDS for width in (80, 120)),
    ("fits", "terminal", None, 48),
    ("fits", "terminal", "budget", 80),
    ("fits", "terminal", "explain", 80),
    ("run", "terminal", "details", 80),
    ("fits", "markdown", None, None),
    ("curve", "markdown", None, None),
    *(
        (name, "svg", None, None)
        for name, record in RECORDS.items()
        if find_view(type(record)).document(record).pictures()
    ),
]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("name", "output", "view", "width"), CASES)
def test_golden(name: str, output: str, view: str | None, width: int | None) -> None:
    shown = render(RECORDS[name], output, view=view, width=width)
    suffix = {"terminal": "txt", "markdown": "md", "svg": "svg"}[output]
    parts = (name, view or "", str(width or ""))
    compare("-".join(part for part in parts if part) + f".{suffix}", str(shown))


def test_golden_ascii() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    compare("tight-80-ascii.txt", str(render(RECORDS["tight"], width=80, stream=stream)))


def test_golden_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    compare("too_big-80-colour.ansi", str(render(RECORDS["too_big"], width=80)))


def compare(name: str, shown: str) -> None:
    path = GOLDEN / name
    if WRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8", newline="\n")
    assert path.is_file(), f"no golden {name}: MEMFIT_WRITE_GOLDEN=1 writes it"
    assert shown == path.read_text(encoding="utf-8")
