"""The page of worked examples says what memfit says now."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import worked_examples  # noqa: E402  a tool, and no part of the package


def test_the_page_is_current() -> None:
    written = (ROOT / "docs" / "worked_examples.md").read_text(encoding="utf-8")
    assert worked_examples.page() == written, "run python tools/worked_examples.py"
