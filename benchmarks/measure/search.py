"""What a search of the whole catalog takes, and what of a remote file is fetched to read its header."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path

from measure.processes import Program, output_of
from measure.tables import milliseconds, table

MIB = 1 << 20
ROOT = Path(__file__).resolve().parents[2]
_INSIDE = """
import json, resource, time
began = time.perf_counter()
from memfit.device import find_device
from memfit.engine.runtimes import ENGINES
from memfit.fit import Wish, fit
imported = time.perf_counter()
found = fit(find_device({device!r}), Wish(engines=tuple(ENGINES.keys())))
ended = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([found.considered, imported - began, ended - imported, peak]))
"""
BOARDS = ("orin-nano-8gb", "agx-orin-64gb", "thor-t5000")


def measure_search(runs: int) -> str:
    """Time and memory of ``fit`` over every model, format, context and engine, in a fresh process each."""
    rows = []
    for board in BOARDS:
        print(f"search: {board}", file=sys.stderr)
        program = Program((sys.executable, "-c", _INSIDE.format(device=board)))
        found = [json.loads(output_of(program)) for _ in range(runs)]
        searched = [one[2] for one in found]
        rows.append(
            (
                board,
                f"{found[0][0]:,}",
                milliseconds(statistics.median(searched) * 1e3),
                milliseconds(min(searched) * 1e3),
                milliseconds(statistics.median(one[1] for one in found) * 1e3),
                f"{max(one[3] for one in found) / MIB:.0f}",
            )
        )
    head = ("`fit`, every engine", "combinations", "ms", "least", "imports, ms", "peak, MiB")
    return f"{table(head, rows)}\n\n{_remote()}"


def _remote() -> str:
    """Bytes and requests for the header of an 8B model of 4.6 GiB over a local server."""
    sys.path.insert(0, str(ROOT / "tests"))
    from big_header import write_model
    from memfit.model.places._headers import fetch_gguf
    from memfit.remote.web import Web
    from range_server import serving

    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        header = write_model(Path(folder) / "model.gguf")
        with tempfile.TemporaryDirectory() as cache:
            import os

            os.environ["XDG_CACHE_HOME"] = cache
            fetch_gguf(Web(), lambda name: f"{server.url}/{name}", "model.gguf")
        return (
            f"The header of a remote 8B file, {header:,} bytes: {server.sent_bytes:,} fetched"
            f" ({server.sent_bytes / header:.1%}), {len(server.requests)} requests."
        )
