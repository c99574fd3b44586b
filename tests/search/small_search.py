"""A search that takes seconds: the shipped model, little text, few formats."""

from __future__ import annotations

import ast
import heapq
import inspect
import textwrap
from pathlib import Path

from memfit.search.quantize import Request
from memfit.search.records import Asked

MODEL = Path(__file__).resolve().parents[2] / "models" / "memfit-tiny" / "memfit-tiny-F16.gguf"
FORMATS = ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_0")


def text(folder: Path) -> str:
    """Python sources of this interpreter's library: what the model was trained for."""
    path = folder / "text.txt"
    path.write_text("".join(inspect.getsource(one) for one in (heapq, textwrap, ast))[:36_000])
    return str(path)


def request(folder: Path, asked: Asked, **more: object) -> Request:
    """A request with a work folder of its own."""
    given = {
        "model": str(MODEL),
        "out": str(folder / "out.gguf"),
        "text": text(folder),
        "formats": FORMATS,
        "window_tokens": 256,
        "threads": 1,
        "work": str(folder / "work"),
        **more,
    }
    return Request(asked=asked, **given)  # type: ignore[arg-type]
