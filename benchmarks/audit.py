"""Time and memory of ``memfit audit`` here, its PSS beside smem's in the same run, and what stays unexplained.

python benchmarks/audit.py                  everything; smem is compared where it is installed (apt-get install smem)
python benchmarks/audit.py --host TARGET    over SSH as well: a machine that ssh reaches without a password
python benchmarks/audit.py --runs 21 --json measurements as JSON
python benchmarks/audit.py --write          the tables into benchmarks/RESULTS.md
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from measure.machine import describe_machine, load, today
from measure.processes import Program, output_of, peak_bytes, wall_s
from measure.shares import compare_with_smem, computed_s
from measure.shares import report as report_shares
from measure.tables import replaced, table

MIB = 1 << 20
GOAL_S, GOAL_MIB, GOAL_SHARE = 0.3, 40, 0.005
SSH_S, COLLECTOR_MIB = 2.0, 20
RESULTS = Path(__file__).with_name("RESULTS.md")
AUDIT = Program((sys.executable, "-m", "memfit", "audit", "--json"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=11, help="measured rounds (11)")
    parser.add_argument("--host", metavar="TARGET", help="measure an audit of this machine over SSH too")
    parser.add_argument("--json", action="store_true", help="the measurements as JSON")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    asked = parser.parse_args()
    before = load()
    found = {"command": measure_command(AUDIT, asked.runs), "unexplained": measure_rest(asked.runs)}
    if asked.host is not None:
        found["ssh"] = measure_host(asked.host, asked.runs)
    if shutil.which("smem"):
        found["smem"] = compare_with_smem(asked.runs)
    text = (
        f"{report(found)}\n\nMeasured {today()}, {asked.runs} rounds, load average {before} before and {load()} after."
    )
    if asked.write:
        RESULTS.write_text(replaced(RESULTS.read_text(), "audit", text))
    print(json.dumps(found, indent=2) if asked.json else text)


def measure_command(program: Program, runs: int) -> dict[str, float]:
    """Wall time and peak memory of the whole command, interpreter and imports included."""
    output_of(program)  # says why, where it fails
    before = computed_s()
    walls = [wall_s(program) for _ in range(runs)]
    used_s = (computed_s() - before) / runs
    return {
        "median_s": statistics.median(walls),
        "least_s": min(walls),
        "computed_s": used_s,
        "peak_bytes": peak_bytes(program),
    }


def measure_host(target: str, runs: int) -> dict[str, float]:
    """The same of an audit over SSH, and the peak memory of the collector there."""
    from memfit.device.audit import audit_paths
    from memfit.host import Manifest
    from memfit.host.ssh import SshHost

    collector = SshHost(target, Manifest(paths=audit_paths())).snapshot.peak_bytes
    measured = measure_command(Program((*AUDIT.command, "--host", target)), runs)
    return {**measured, "collector_bytes": collector or 0}


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
    if (ssh := found.get("ssh")) is not None:
        rows += [
            ("the same command over SSH, median", f"{ssh['median_s'] * 1000:.0f} ms", f"≤ {SSH_S * 1000:.0f} ms"),
            ("the same, least disturbed", f"{ssh['least_s'] * 1000:.0f} ms", ""),
            ("its collector there, peak memory", f"{ssh['collector_bytes'] / MIB:.1f} MiB", f"≤ {COLLECTOR_MIB} MiB"),
        ]
    text = table((describe_machine(), "measured", "goal"), rows)
    if (beside := found.get("smem")) is not None:
        text += f"\n\n{report_shares(beside)}"
    return text


if __name__ == "__main__":
    main()
