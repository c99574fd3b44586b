"""Run inside of a booted machine: a stand-in engine that holds so much, under a limit; prints the observation.

python3 engine_inside.py LIMIT_MIB HELD_MIB [MECHANISM]
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from fake_engines import DEPLOYMENT, events
from memfit.measure import run
from memfit.measure.limits import open_fence

# 1 MiB at a time, every page touched and nothing copied: what is charged is what is held
SCRIPT = """
start()
import mmap
held = []
def hold(size):
    for _ in range(size):
        held.append(mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        for page in range(0, 1 << 20, 4096):
            held[-1][page] = 1
hold({half})
stand("loaded")
hold({rest})
stand("decode", tokens=1, seconds=1.0)
done()
"""


def main(limit: str, size: str, mechanism: str | None = None) -> None:
    start = events(SCRIPT.format(half=int(size) // 2, rest=int(size) - int(size) // 2))
    replaced: Any = run
    replaced._start = lambda *_: start
    if mechanism is not None:
        replaced.open_fence = lambda limit_bytes: open_fence(limit_bytes, mechanism=mechanism)
    # an emulated processor takes its time
    seen = run.observe(DEPLOYMENT, limit_bytes=int(limit) << 20, meters=False, timeout_s=300)
    print(msgspec.json.encode(seen).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
