"""What a whole command takes: seconds from start to end, and memory with its children."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from measure.peers import Peers, memfit_command, memfit_program
from measure.processes import Program, ProgramFailed, Spread, in_turn, output_of, peak_bytes, wall_s
from measure.tables import milliseconds, ratio, table

CONTEXT = 8192
BASE = "`memfit estimate --source formula`"
MEMORY_RUNS = 3
MIB = 1 << 20


def measure_commands(files: dict[str, Path], peers: Peers, runs: int, cache: Path) -> str:
    """A table for each file, then the start of memfit alone. ``files``: by their title."""
    parts = []
    for title, file in files.items():
        print(f"commands: {title}", file=sys.stderr)
        programs, failures = _that_run(_programs(file, peers, cache))
        walls = in_turn({name: partial(wall_s, program) for name, program in programs.items()}, runs)
        peaks = in_turn({name: partial(peak_bytes, program) for name, program in programs.items()}, MEMORY_RUNS)
        parts.append(_table(title, walls, peaks))
        parts += [f"Did not run: {name}: {said}" for name, said in failures.items()]
    print("commands: --help", file=sys.stderr)
    starts = in_turn({"--help": partial(wall_s, Program((memfit_program(), "--help")))}, 2 * runs)["--help"]
    spread = Spread(starts)
    parts.append(f"`memfit --help`: {spread.median * 1e3:.0f} ms (least {spread.least * 1e3:.0f}).")
    return "\n\n".join(parts)


def _programs(file: Path, peers: Peers, cache: Path) -> dict[str, Program]:
    names = {peer.name for peer in peers.all() if peer.runs}
    found: dict[str, Program] = {}
    for source in ("formula", "engine"):
        program = memfit_command(file, CONTEXT, source, "--load-mode", "none")
        found[f"`memfit estimate --source {source}`"] = Program(program.command, {"MEMFIT_CACHE": "off"})
        found[f"the same with the header in its cache, {source}"] = Program(
            program.command, {"XDG_CACHE_HOME": str(cache)}
        )
    if "llama-fit-params" in names:
        found["`llama-fit-params -fitp on`"] = peers.fit_command(file, CONTEXT, full_window=True)
    if "node-llama-cpp" in names:
        found["`node-llama-cpp inspect estimate`"] = peers.node_command(file, CONTEXT)
        found["node-llama-cpp by its API"] = peers.node_script("estimate", str(file), str(CONTEXT), "full")
    if "hf-mem" in names:
        found["`hf-mem --experimental`, the Hub answered from disk"] = peers.hf_mem_command(file, CONTEXT)
    if "llmfit" in names:
        found["`llmfit plan`, from its own database"] = peers.llmfit_command("Qwen/Qwen2.5-1.5B-Instruct", CONTEXT)
    return found


def _that_run(programs: dict[str, Program]) -> tuple[dict[str, Program], dict[str, str]]:
    good, failures = {}, {}
    for name, program in programs.items():
        try:
            output_of(program)
            good[name] = program
        except ProgramFailed as failure:
            failures[name] = str(failure)
    if BASE not in good:
        raise ProgramFailed(f"{BASE}: {failures[BASE]}")
    return good, failures


def _table(title: str, walls: dict[str, tuple[float, ...]], peaks: dict[str, tuple[int, ...]]) -> str:
    base_s = Spread(walls[BASE]).median
    base_bytes = Spread(peaks[BASE]).median
    rows: list[Sequence[str]] = []
    for name, values in walls.items():
        spread, peak = Spread(values), Spread(peaks[name]).median
        rows.append(
            [
                name,
                milliseconds(spread.median * 1e3),
                milliseconds(spread.least * 1e3),
                ratio(spread.median, base_s),
                f"{peak / MIB:.0f}",
                ratio(peak, base_bytes),
            ]
        )
    return table([title, "wall, ms", "least", "ratio", "peak, MiB", "ratio"], rows)
