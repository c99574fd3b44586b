"""Measure what runtimes cost before any model, and write docs/baselines.md.

    python -m venv runtimes
    runtimes/bin/pip install llama-cpp-python onnxruntime ctranslate2 torch
    python tools/measure_baselines.py runtimes/bin/python

On a machine that does little else: the runs are short. Who else has the same libraries mapped makes no difference.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from memfit.measure.baseline import measure_baselines
from memfit.render import render

PAGE = Path(__file__).parents[1] / "docs" / "baselines.md"
RUNS = 5
INTRODUCTION = f"""# What runtimes cost before any model

Written by `tools/measure_baselines.py`, which runs `memfit baseline --runs {RUNS}` in an environment with the runtimes.
Each comes up in a process of its own, with the fewest objects that run anything. **MiB** is the PSS that this adds to
the bare interpreter, with mapped files whole: as if nothing else ran that has the same libraries. **anonymous** is the
part of it that the kernel cannot drop, **resident** what is added to the resident size. The document's MB are 10^6
bytes. A row without a figure was not measured, and says why.

The document names CUDA contexts, plug-in libraries and execution providers among the causes of its figures. A machine
without a GPU has none of those: what it shows is the cost of the libraries themselves. `memfit baseline` on a Jetson
gives the figures of that board.

"""


def main() -> None:
    """Measure with the interpreter named on the command line, or with this one."""
    python = sys.argv[1] if len(sys.argv) > 1 else None
    found = measure_baselines(python=python, runs=RUNS, seen=lambda name: print(name, flush=True))
    shown = render(found, "markdown")
    assert isinstance(shown, str)
    _, _, body = shown.partition("\n\n")  # the page has a title of its own
    when = f"Measured {date.today().isoformat()} (UTC).\n\n"
    PAGE.write_text(INTRODUCTION + when + body, encoding="utf-8")


if __name__ == "__main__":
    main()
