"""How close each tool comes to what llama.cpp itself accounts for: weights, KV cache or state, compute buffers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure.files import write_stub_file
from measure.peers import Peers, memfit_command
from measure.processes import ProgramFailed, output_of
from measure.tables import percent, table
from memfit.engine._llama_cpp.oracle import reserve_one
from memfit.engine.records import Options

CONTEXT = 8192
MIB = 1 << 20
COUNTED = ("weights", "kv_cache", "recurrent_state", "compute_buffers")
WINDOWED = "window"


@dataclass(frozen=True)
class Case:
    """A model by its card, and whether its sliding-window layers cache the whole context."""

    card: str
    kind: str
    full_window: bool = False

    @property
    def title(self) -> str:
        """The row's name."""
        return f"{self.card.replace('_', '-')}, {self.kind}"


CASES = (
    Case("llama_3_8b", "dense"),
    Case("qwen2_5_1_5b", "dense, 152k tokens"),
    Case("qwen3_4b", "dense"),
    Case("gemma_3_4b", "window"),
    Case("gemma_3_4b", "window, `--swa-full`", full_window=True),
    Case("qwen3_30b_a3b", "experts"),
    Case("gpt_oss_20b", "experts, window"),
    Case("deepseek_v2_lite", "latent attention, experts"),
    Case("lfm2_1_2b", "short convolutions"),
    Case("qwen3_5_4b", "delta net, hybrid"),
    Case("granite_4_0_h_tiny", "Mamba-2, experts, hybrid"),
    Case("mamba_2_8b", "Mamba"),
)


def measure_accuracy(folder: Path, peers: Peers) -> str:
    """A table of errors in percent, signed; below it what did not answer."""
    names = {peer.name for peer in peers.all() if peer.runs}
    tools: dict[str, Callable[[Case, Path], float]] = {"memfit, formula": _memfit}
    if "node-llama-cpp" in names:
        tools["node-llama-cpp, API"] = lambda case, file: _node(case, file, peers)
    if "llama-fit-params" in names:
        tools["llama-fit-params, host"] = lambda case, file: _fit_params(case, file, peers)
    if "hf-mem" in names:
        tools["hf-mem"] = lambda _, file: _hf_mem(file, peers)
    rows, notes = [], []
    for case in CASES:
        print(f"accuracy: {case.title}", file=sys.stderr)
        file = folder / f"{case.card}.gguf"
        if not file.exists():
            write_stub_file(case.card, file)
        actual = _actual(case, file)
        row = [case.title, f"{actual / MIB:,.1f}"]
        for name, tool in tools.items():
            try:
                row.append(percent(tool(case, file), actual))
            except ProgramFailed as failure:
                if tool is _memfit:  # a fault of ours is not a result
                    raise
                row.append("fails")
                notes.append(f"- {name} on {case.card}: {failure}")
        rows.append(row)
    text = table(["model in Q4_K_M", "llama.cpp, MiB", *tools], rows)
    return "\n\n".join([text, "\n".join(dict.fromkeys(notes))]) if notes else text


def _actual(case: Case, file: Path) -> float:
    """Bytes of the engine's own breakdown, weights as allocated without mmap."""
    options = Options(context_tokens=CONTEXT, load_mode="none", full_window_cache=case.full_window)
    _, reserved = reserve_one(file, options)
    return sum(buffer.model_bytes + buffer.context_bytes + buffer.compute_bytes for buffer in reserved.buffers)


def _memfit(case: Case, file: Path) -> float:
    window = "--swa-full" if case.full_window else "--swa-window"
    answer = _json(output_of(memfit_command(file, CONTEXT, "formula", "--load-mode", "none", window, "--json")))
    return float(sum(term["high_bytes"] for term in answer["terms"] if term["name"] in COUNTED))


def _node(case: Case, file: Path, peers: Peers) -> float:
    window = "full" if case.full_window else WINDOWED
    answer = _json(output_of(peers.node_script("estimate", str(file), str(CONTEXT), window)))
    return float(answer["model_bytes"] + answer["context_bytes"])


def _fit_params(case: Case, file: Path, peers: Peers) -> float:
    """``Host 692 1152 306``: model, context and compute in MiB."""
    said = output_of(peers.fit_command(file, CONTEXT, full_window=case.full_window))
    line = next((line for line in said.splitlines() if line.startswith("Host ")), None)
    if line is None:
        raise ProgramFailed("prints no line for the host")
    return float(sum(int(word) for word in line.split()[1:4]) * MIB)


def _hf_mem(file: Path, peers: Peers) -> float:
    return float(_json(output_of(peers.hf_mem_command(file, CONTEXT)))["total_memory"])


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as failure:
        raise ProgramFailed(f"no JSON: {text[:80]!r}") from failure
