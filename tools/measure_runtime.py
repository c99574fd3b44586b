"""Measure what a process takes that holds the engine and no model: the ``runtime`` term of the library profile.

python tools/measure_runtime.py             needs memfit[llama]
"""

from __future__ import annotations

import json
import subprocess
import sys

_CHILD = r"""
import json
def pss():
    for line in open("/proc/self/smaps_rollup"):
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
steps = {"python": pss()}
import llama_cpp
steps["llama_cpp imported"] = pss()
llama_cpp.llama_backend_init()
steps["backend ready"] = pss()
print(json.dumps(steps))
"""


def main() -> None:
    """Print the steps, in MiB, as the median of five processes."""
    runs = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    for step in runs[0]:
        figures = sorted(run[step] for run in runs)
        print(f"{step:<20}{figures[len(figures) // 2] / 2**20:8.1f} MiB")


if __name__ == "__main__":
    main()
