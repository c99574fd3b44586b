"""How long it takes to read a header with a vocabulary of 151,936 or 262,144 tokens."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from measure.peers import SCRIPTS, Peers
from measure.processes import Program, Spread, in_turn, output_of
from measure.tables import milliseconds, ratio, table

BASE = "memfit, `read_shards`"


def measure_headers(files: dict[str, Path], peers: Peers, runs: int, cache: Path) -> str:
    """A table: reading alone, in a fresh process each, by tool and file. ``files``: by their column's title."""
    names = {peer.name for peer in peers.all() if peer.runs}
    columns: dict[str, dict[str, Spread]] = {}
    for title, file in files.items():
        print(f"headers: {title}", file=sys.stderr)
        columns[title] = {
            name: Spread(values) for name, values in in_turn(_readers(file, peers, names, cache), runs).items()
        }
    head = ["reading the header, ms", *(part for title in files for part in (title, "least", "ratio"))]
    rows = []
    for name in next(iter(columns.values())):
        row = [name]
        for spreads in columns.values():
            spread = spreads[name]
            row += [milliseconds(spread.median), milliseconds(spread.least)]
            row.append(ratio(spread.median, spreads[BASE].median))
        rows.append(row)
    return table(head, rows)


def _readers(file: Path, peers: Peers, names: set[str], cache: Path) -> dict[str, Callable[[], float]]:
    ours = (sys.executable, str(SCRIPTS / "read_memfit.py"), str(file))
    kept = {"XDG_CACHE_HOME": str(cache)}
    found: dict[str, Callable[[], float]] = {
        BASE: partial(_read_ms, Program((*ours, "header"), {"MEMFIT_CACHE": "off"})),
        "memfit, `read_shape` from its cache": partial(_read_ms, Program((*ours, "shape"), kept)),
    }
    if "node-llama-cpp" in names:
        found["node-llama-cpp, `readGgufFileInfo`"] = partial(_node_ms, peers.node_script("read", str(file)))
    if "hf-mem" in names:
        program = Program((peers.python, str(SCRIPTS / "read_hf_mem.py"), str(file)))
        found["hf-mem, `parse_gguf_metadata`"] = partial(_read_ms, program)
    if "gguf-py" in names:
        program = Program((peers.python, str(SCRIPTS / "read_gguf_py.py"), str(file)))
        found["gguf-py, `GGUFReader`"] = partial(_read_ms, program)
    return found


def _read_ms(program: Program) -> float:
    return float(output_of(program).split()[1])


def _node_ms(program: Program) -> float:
    return float(json.loads(output_of(program))["read_ms"])
