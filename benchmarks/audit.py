"""Time and memory of ``memfit audit`` here, its PSS beside smem's in the same run, and what stays unexplained.

python benchmarks/audit.py                  everything; smem is compared where it is installed (apt-get install smem)
python benchmarks/audit.py --runs 21 --json measurements as JSON

smem adds up ``smaps``, whose every mapping is rounded down to whole kB; ``smaps_rollup``, which memfit reads, is
rounded down once. So smem's total lies below by less than 1 kB a mapping; the table says how many mappings there are.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from measure.machine import describe_machine, load, today
from measure.processes import Program, output_of, peak_bytes, wall_s
from measure.tables import table

MIB = 1 << 20
GOAL_S, GOAL_MIB, GOAL_SHARE = 0.3, 40, 0.005
AUDIT = Program((sys.executable, "-m", "memfit", "audit", "--json"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=11, help="measured rounds (11)")
    parser.add_argument("--json", action="store_true", help="the measurements as JSON")
    asked = parser.parse_args()
    found = {"command": measure_command(asked.runs), "unexplained": measure_rest(asked.runs)}
    if shutil.which("smem"):
        found["smem"] = compare_with_smem(asked.runs)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        print(report(found))


def measure_command(runs: int) -> dict[str, float]:
    """Wall time and peak memory of the whole command, interpreter and imports included."""
    output_of(AUDIT)  # says why, where it fails
    before = _computed_s()
    walls = [wall_s(AUDIT) for _ in range(runs)]
    computed_s = (_computed_s() - before) / runs
    return {
        "median_s": statistics.median(walls),
        "least_s": min(walls),
        "computed_s": computed_s,
        "peak_bytes": peak_bytes(AUDIT),
    }


def _computed_s() -> float:
    """Processor time of all programs that were started and have ended: what a busy machine does not change much."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_rest(runs: int) -> dict[str, float]:
    """What the ledger leaves unexplained, over ``runs`` audits a second apart, in whatever the machine does."""
    from memfit.device.audit import audit as take
    from memfit.host import LocalHost

    shares, seconds = [], []
    for _ in range(runs):
        began = time.perf_counter()
        audit = take(LocalHost())
        seconds.append(time.perf_counter() - began)
        shares.append(abs(audit.unexplained_bytes or 0) / (audit.physical_bytes or 1))
        time.sleep(1.0)
    return {"median_share": statistics.median(shares), "most_share": max(shares), "library_s": min(seconds)}


def compare_with_smem(runs: int) -> dict[str, Any]:
    """Shares of the processes that did not change while both looked: memfit read the same of them before and after."""
    from memfit.device.facts.processes import read
    from memfit.host import LocalHost

    rounds = []
    for _ in range(runs):
        began = time.perf_counter()
        before = {facts.pid: (facts.memory or {}).get("Pss") for facts in read(LocalHost())}
        middle = time.perf_counter()
        theirs = smem()
        ended = time.perf_counter()
        after = {facts.pid: (facts.memory or {}).get("Pss") for facts in read(LocalHost())}
        still = [pid for pid, size in before.items() if size and after.get(pid) == size and pid in theirs]
        rounds.append(
            {
                "processes": len(still),
                "memfit_bytes": sum(before[pid] or 0 for pid in still),
                "smem_bytes": sum(theirs[pid] for pid in still),
                "mappings": sum(mappings(pid) for pid in still),
                "memfit_s": middle - began,
                "smem_s": ended - middle,
            }
        )
    best = max(rounds, key=lambda each: each["processes"])
    return {
        **best,
        "memfit_s": statistics.median(each["memfit_s"] for each in rounds),
        "smem_s": statistics.median(each["smem_s"] for each in rounds),
    }


def smem() -> dict[int, int]:
    """Bytes of PSS by process, as smem prints them."""
    found = subprocess.run(("smem", "-H", "-c", "pid pss"), capture_output=True, text=True, check=True)
    pairs = (line.split() for line in found.stdout.splitlines())
    return {int(pid): int(size) * 1024 for pid, size in pairs}


def mappings(pid: int) -> int:
    """How many mappings a process has now; 0 where it has ended."""
    try:
        return Path(f"/proc/{pid}/maps").read_text().count("\n")
    except OSError:
        return 0


def report(found: dict[str, Any]) -> str:
    """Tables for people, with the goals beside the figures."""
    command, rest = found["command"], found["unexplained"]
    rows = [
        ("`memfit audit --json`, median", f"{command['median_s'] * 1000:.0f} ms", f"≤ {GOAL_S * 1000:.0f} ms"),
        ("the same, least disturbed", f"{command['least_s'] * 1000:.0f} ms", ""),
        ("its processor time, mean", f"{command['computed_s'] * 1000:.0f} ms", ""),
        ("its peak memory", f"{command['peak_bytes'] / MIB:.1f} MiB", f"≤ {GOAL_MIB} MiB"),
        ("`memfit.audit()` alone", f"{rest['library_s'] * 1000:.0f} ms", ""),
        ("unexplained, median", f"{rest['median_share']:.3%}", f"≤ {GOAL_SHARE:.1%}"),
        ("unexplained, worst", f"{rest['most_share']:.3%}", f"≤ {GOAL_SHARE:.1%}"),
    ]
    text = f"{describe_machine()}; {today()}, load {load()}\n\n{table(('what', 'measured', 'goal'), rows)}"
    if (beside := found.get("smem")) is not None:
        rows = [
            ("memfit", f"{beside['memfit_bytes'] // 1024:,}", f"{beside['memfit_s'] * 1000:.0f} ms"),
            ("smem", f"{beside['smem_bytes'] // 1024:,}", f"{beside['smem_s'] * 1000:.0f} ms"),
        ]
        apart = (beside["memfit_bytes"] - beside["smem_bytes"]) // 1024
        count = f"{beside['processes']} processes"
        text += f"\n\n{table((count, 'PSS, kB', 'time'), rows)}"
        text += f"\n\n{apart} kB apart; smem rounds down {beside['mappings']:,} mappings, memfit {count}."
    return text


if __name__ == "__main__":
    main()
