"""memfit fit beside llmfit on an Orin Nano 8GB: the first twenty of each, run at their real size under its memory.

python benchmarks/beside_llmfit.py --llmfit build/peers/python/bin/llmfit --write    an hour; goes on where it ended

llmfit gets the board's memory, bandwidth and compute as a profile. What both name for llama.cpp is fabricated with
random weights at real size and run in a control group of what the board has free, less what CUDA takes before a model,
which this machine has not. Weights are read and not mapped, as a GPU of shared memory holds them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from measure.machine import describe_machine, today
from measure.tables import replaced, table
from memfit.device import find_device
from memfit.engine.records import Options
from memfit.fit import Wish, fit
from memfit.footprint.estimate import estimate

HERE = Path(__file__).resolve().parent
RESULTS, RECORDS = HERE / "RESULTS.md", HERE / "records" / "beside-llmfit.jsonl"
BOARD, MOST = "orin-nano-8gb", 20
# MemTotal and the figures of the board's data file, in the fields of llmfit's profiles
PROFILE = {
    "name": "orin",
    "schema_version": 1,
    "hardware": {
        "total_ram_gb": 7.44,
        "gpu_memory_bandwidth_gbps": 102.0,
        "ddr_bandwidth_gbps": 102.0,
        "gpu_compute_tflops_fp16": 16.7,
        "unified_memory": True,
    },
}
# as llama-server reserves it, which is what memfit fit sizes
AS_SERVED = ("--output-rows", "1", "--swa-window")
# models of llmfit's list by the card that has their shape
SHAPES = (
    ("qwen3-14b", "Qwen3-14B"),
    ("llama-3.2-1b", "Llama-3.2-1B"),
    ("llama3.2-1b", "Llama-3.2-1B"),
    ("llama-3.2-3b", "Llama-3.2-3B"),
    ("qwen2.5-3b", "Qwen2.5-3B"),
    ("qwen2.5-coder-3b", "Qwen2.5-Coder-3B"),
    ("gemma-4-e2b", "Gemma-4-E2B"),
)


class Named(NamedTuple):
    """One row of a tool: what it says runs, and how much it says that takes."""

    tool: str
    place: int
    model: str
    shape: str | None
    format: str
    engine: str
    context_tokens: int
    said_bytes: int
    said: str


def main() -> None:
    """Ask both, run what can be run, print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llmfit", default="llmfit", help="its program (pip install llmfit)")
    parser.add_argument("--tables", action="store_true", help="run nothing: the table of what is there")
    parser.add_argument("--write", action="store_true", help="write the table into RESULTS.md")
    asked = parser.parse_args()
    rows = [*of_llmfit(asked.llmfit), *of_memfit()]
    ran = {}
    for key, row in {(row.shape, row.format, row.context_tokens): row for row in rows if runnable(row)}.items():
        found = known(row)
        if found is None and asked.tables:
            continue
        ran[key] = found or remember(row, run(row))
        print(*key, ran[key]["verdict"], ran[key]["why"], flush=True)
    text = written(rows, ran, asked.llmfit)
    if asked.write:
        RESULTS.write_text(replaced(RESULTS.read_text(), "llmfit", text))
    else:
        print(text)


def of_llmfit(program: str) -> Iterator[Named]:
    """Its first twenty."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "orin.json"
        profile.write_text(json.dumps(PROFILE))
        words = [program, "--profile", str(profile), "fit", "-n", str(MOST), "--json"]
        models = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["models"]
    for place, model in enumerate(models, 1):
        yield Named(
            tool="llmfit",
            place=place,
            model=model["name"].rpartition("/")[2],
            shape=next((card for part, card in SHAPES if part in model["name"].lower()), None),
            format=model["best_quant"],
            engine=model["runtime"],
            context_tokens=model["effective_context_length"],
            said_bytes=int(model["memory_required_gb"] * 2**30),
            said=model["fit_label"],
        )


def of_memfit() -> Iterator[Named]:
    """Its first twenty."""
    rows = [row for row in fit(find_device(BOARD), Wish()).rows if row.where == "catalog"]
    for place, row in enumerate(rows[:MOST], 1):
        yield Named(
            tool="memfit",
            place=place,
            model=row.model,
            shape=row.model,
            format=row.format,
            engine="llama.cpp",
            context_tokens=row.at_tokens,
            said_bytes=row.required_bytes,
            said=row.verdict,
        )


def runnable(row: Named) -> bool:
    """Whether it can be made here: llama.cpp's, of a known shape."""
    return row.engine == "llama.cpp" and row.shape is not None


def limit_bytes() -> int:
    """What the board has free, less what CUDA takes before a model by the board's own prediction."""
    device = find_device(BOARD)
    with_gpu, without = (
        sum(term.likely_bytes for term in found.terms if term.name in ("runtime", "cuda_context"))
        for found in (
            estimate("Llama-3.2-1B", device=device, options=Options(backend="cuda"), source="formula", relief=False),
            estimate("Llama-3.2-1B", device=device, options=Options(backend="cpu"), source="formula", relief=False),
        )
    )
    return device.capacity_bytes - (with_gpu - without)


def run(row: Named) -> dict[str, Any]:
    """Fabricate it, run it, throw it away."""
    memfit = [sys.executable, "-m", "memfit"]
    with tempfile.TemporaryDirectory(prefix="memfit-beside-") as folder:
        file = f"{folder}/model.gguf"
        words = [*memfit, "fabricate", str(row.shape), "--format", row.format, "--out", file]
        subprocess.run(words, check=True, capture_output=True)
        options = ["-c", str(row.context_tokens), "--load-mode", "none", "--no-repack", *AS_SERVED]
        words = [*memfit, "verify", file, *options, "--limit", f"{limit_bytes() >> 20}MiB", "--json", "--no-store"]
        found = json.loads(subprocess.run(words, check=False, capture_output=True, text=True).stdout)
    held = found["observed"]["unevictable_bytes"]
    return {"runs": found["runs"], "verdict": found["verdict"], "held_bytes": held, "why": found["reason"]}


def known(row: Named) -> dict[str, Any] | None:
    """What an earlier call found."""
    lines = RECORDS.read_text().splitlines() if RECORDS.exists() else []
    key = [row.shape, row.format, row.context_tokens]
    return next((one["found"] for one in map(json.loads, lines) if one["key"] == key), None)


def remember(row: Named, found: dict[str, Any]) -> dict[str, Any]:
    """Keep it for the next call."""
    with RECORDS.open("a") as file:
        file.write(json.dumps({"key": [row.shape, row.format, row.context_tokens], "found": found}) + "\n")
    return found


def written(rows: list[Named], ran: dict[Any, dict[str, Any]], program: str) -> str:
    """The table and what it was measured on."""
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    lines = []
    for row in rows:
        found = ran.get((row.shape, row.format, row.context_tokens))
        held = f"{found['held_bytes'] / 2**30:.2f}" if found else ""
        ends = "not run" if found is None else "runs" if found["runs"] else str(found["verdict"])
        name = f"{row.tool} {row.place}: {row.model} {row.format}, {row.engine}"
        lines.append((name, f"{row.context_tokens}", row.said, f"{row.said_bytes / 2**30:.2f}", held, ends))
    head = ("what it names", "context", "says", "GiB", "held, GiB", "under the limit")
    where = f"{version}; limit {limit_bytes() / 2**30:.2f} GiB; {describe_machine()}"
    return f"{table(head, lines)}\n\nMeasured {today()}: {where}."


if __name__ == "__main__":
    main()
