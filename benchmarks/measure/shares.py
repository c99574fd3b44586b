"""PSS of every process as memfit reads it and as smem reads it, in turn and in one interpreter, then as two programs.

smem adds up ``smaps``, whose every mapping is rounded down to whole kB; ``smaps_rollup``, which memfit reads, is
rounded down once. So smem's total lies below by less than 1 kB a mapping; the table says how many mappings there are.
"""

from __future__ import annotations

import contextlib
import io
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from measure.processes import Program, output_of, wall_s
from measure.tables import table

T = TypeVar("T")
_SCRIPT = Path(__file__).parents[1] / "scripts" / "pss_totals.py"
_ARGUMENTS = ("smem", "-t", "-H", "-c", "pid pss")
PROGRAMS = {"memfit": Program((sys.executable, str(_SCRIPT))), "smem": Program(_ARGUMENTS)}


def compare_with_smem(runs: int) -> dict[str, Any]:
    """Shares of the processes that did not change while both looked: memfit read the same of them before and after."""
    from memfit.device.facts.processes import read
    from memfit.host import LocalHost

    def ours() -> dict[int, int]:
        return {facts.pid: facts.memory["Pss"] for facts in read(LocalHost()) if facts.memory}

    theirs = _smem()
    ours(), theirs()  # imports and compiled patterns are paid for
    rounds: list[dict[str, int]] = []
    spent: dict[str, list[tuple[float, float]]] = {"memfit": [], "smem": []}
    for _ in range(runs):
        before = _timed(ours, spent["memfit"])
        shares = _timed(theirs, spent["smem"])
        after = ours()
        still = [pid for pid, size in before.items() if size and after.get(pid) == size and pid in shares]
        rounds.append(
            {
                "processes": len(still),
                "memfit_bytes": sum(before[pid] for pid in still),
                "smem_bytes": sum(shares[pid] for pid in still),
                "mappings": sum(_mappings(pid) for pid in still),
            }
        )
    found: dict[str, Any] = max(rounds, key=lambda each: each["processes"])
    for name, times in spent.items():
        found[f"{name}_read_s"] = statistics.median(wall for wall, _ in times)
        found[f"{name}_read_computed_s"] = statistics.median(computed for _, computed in times)
    return {**found, **_programs(runs)}


def report(beside: dict[str, Any]) -> str:
    """One row each for memfit and smem, and what separates their totals."""
    rows = [
        (
            name,
            f"{beside[f'{name}_bytes'] // 1024:,}",
            *(_ms(beside[f"{name}_{what}_s"]) for what in ("read", "read_computed", "program", "program_computed")),
        )
        for name in PROGRAMS
    ]
    count = f"{beside['processes']} processes"
    apart = (beside["memfit_bytes"] - beside["smem_bytes"]) // 1024
    head = (f"PSS of {count}", "kB", "reading, wall", "of it computing", "as a program, wall", "of it computing")
    return f"{table(head, rows)}\n\n{apart} kB apart; smem rounds down {beside['mappings']:,} mappings, memfit {count}."


def _programs(runs: int) -> dict[str, float]:
    walls: dict[str, list[tuple[float, float]]] = {name: [] for name in PROGRAMS}
    for program in PROGRAMS.values():
        output_of(program)  # says why, where it fails
    for _ in range(runs):
        for name, program in PROGRAMS.items():
            before = computed_s()
            wall = wall_s(program)
            walls[name].append((wall, computed_s() - before))
    return {
        **{f"{name}_program_s": statistics.median(wall for wall, _ in times) for name, times in walls.items()},
        **{f"{name}_program_computed_s": statistics.median(used for _, used in times) for name, times in walls.items()},
    }


def computed_s() -> float:
    """Processor time of all programs that were started and have ended: what a busy machine does not change much."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _smem() -> Callable[[], dict[int, int]]:
    """The code of smem, which is a script: compiled once, then run here with its arguments and its output taken."""
    path = shutil.which("smem")
    assert path is not None
    code = compile(Path(path).read_text(encoding="utf-8"), path, "exec")

    def run() -> dict[int, int]:
        said, before = io.StringIO(), sys.argv
        sys.argv = list(_ARGUMENTS)
        try:
            with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
                exec(code, {"__name__": "__main__"})
        finally:
            sys.argv = before
        pairs = [line.split() for line in said.getvalue().splitlines()]
        # below the rule stands the total, with the number of processes for an id
        rule = next((index for index, words in enumerate(pairs) if words and set(words[0]) == {"-"}), len(pairs))
        return {int(words[0]): int(words[1]) * 1024 for words in pairs[:rule] if len(words) == 2}

    return run


def _timed(work: Callable[[], T], times: list[tuple[float, float]]) -> T:
    began, computed = time.perf_counter(), time.process_time()
    found = work()
    times.append((time.perf_counter() - began, time.process_time() - computed))
    return found


def _mappings(pid: int) -> int:
    """How many mappings a process has now; 0 where it has ended."""
    try:
        return Path(f"/proc/{pid}/maps").read_text().count("\n")
    except OSError:
        return 0


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
