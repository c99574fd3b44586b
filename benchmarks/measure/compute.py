"""Compute buffers without the engine: how they fared when they were generated, and on the models of ``accuracy``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from measure.accuracy import CASES, CONTEXT, MIB
from measure.files import write_stub_file
from measure.tables import percent, table
from memfit.engine._llama_cpp.compute import compute_bytes
from memfit.engine._llama_cpp.graphs import DATA, load_graphs
from memfit.engine._llama_cpp.oracle import reserve_one
from memfit.engine.records import Options
from memfit.model import read_shape


def measure_compute(folder: Path) -> str:
    """A row for each model: the engine's compute buffer and the figure without it; then the generator's check."""
    rows: list[Sequence[str]] = []
    for case in CASES:
        print(f"compute: {case.title}", file=sys.stderr)
        file = folder / f"{case.card}.gguf"
        if not file.exists():
            write_stub_file(case.card, file)
        options = Options(context_tokens=CONTEXT, full_window_cache=case.full_window)
        _, reserved = reserve_one(file, options)
        found = compute_bytes(read_shape(file), options)
        shown = percent(found.likely_bytes, reserved.compute_bytes)
        bounds = found.low_bytes <= reserved.compute_bytes <= found.high_bytes
        rows.append([case.title, f"{reserved.compute_bytes / MIB:,.2f}", shown, "yes" if bounds else "no"])
    text = table(["compute buffers", "llama.cpp, MiB", "memfit without it", "within its bounds"], rows)
    return f"{text}\n\n{_summary()}"


def _summary() -> str:
    graphs = [load_graphs(path.stem) for path in sorted(DATA.glob("*.json"))]
    checked = [found.checked for found in graphs if found is not None and found.checked is not None]
    if not checked:
        return "The generator's own check is not in the data."
    settings, equal = sum(one.settings for one in checked), sum(one.equal for one in checked)
    worst = max(one.largest_error for one in checked)
    return (
        f"Checked when generated: {len(checked)} architectures, equal to the byte in {equal:,} of {settings:,}"
        f" settings of structures that were traced, largest error {worst:.2%}. By architecture, and what was not"
        " traced: `docs/compute_buffers.md`."
    )
