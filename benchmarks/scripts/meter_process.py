"""Watch a process with all meters between the lines ``on`` and ``off`` of standard input; answer each with a line.

python meter_process.py PID

``on`` answers ``on``; ``off`` answers the processor time and the wall time that the meters ran, in seconds, and the
memory of this process in bytes: PSS and resident. The first line tells the memory before the meters were imported.
"""

from __future__ import annotations

import gc
import sys
import time

import memfit.measure.records  # noqa: F401  what a program that measures has anyway
from memfit.device.cgroup import find_cgroup
from memfit.device.process_tree import read_smaps


def held() -> str:
    """PSS and resident bytes of this process."""
    sums = read_smaps_of_self()
    return f"{sums['Pss']} {sums['Rss']}"


def read_smaps_of_self() -> dict[str, int]:
    """``smaps_rollup``."""
    import os

    return read_smaps(os.getpid())


def main() -> None:
    """Do as told until the end of standard input."""
    pid = int(sys.argv[1])
    print(held(), flush=True)
    from memfit.measure.sampler import Sampler

    group = find_cgroup(pid)
    sampler = None
    for line in sys.stdin:
        if line.strip() == "on":
            sampler = Sampler(pid, None if group is None else group.folder)
            sampler.__enter__()
            time.sleep(0.5)  # opening files and importing meters is done once in a run
            used_s, began_s = time.process_time(), time.monotonic()
            print("on", flush=True)
        elif sampler is not None:
            spent = f"{time.process_time() - used_s} {time.monotonic() - began_s} {held()}"
            sampler.__exit__(None, None, None)
            names = ",".join(sorted({reading.meter for reading in sampler.readings}))
            print(spent, names, flush=True)
            sampler = None
            gc.collect()


if __name__ == "__main__":
    main()
